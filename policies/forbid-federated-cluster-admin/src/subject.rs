//! Who a binding speaks of: the forms in which federated identities appear as subjects.

use fedward_kit::finding::Severity;
use fedward_kit::identity::{self, Provider};
use fedward_kit::node::Node;
use fedward_kit::rule::{Check, Condition, Report};
use fedward_kit::text::{self, any_matches};
use fedward_kit::trust;

use crate::settings::Settings;

/// A subject of a binding.
#[derive(Clone, Copy)]
pub(crate) struct Subject<'a> {
    /// Its name.
    pub(crate) name: Node<'a>,
    /// Its kind, as it is written.
    pub(crate) kind: &'a str,
    /// Who it is.
    pub(crate) who: Who<'a>,
}

/// Who a subject is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Who<'a> {
    /// A service account of this cluster, spelt as one or as the user that it authenticates as.
    Account {
        /// Its namespace; empty where the manifest does not say.
        namespace: &'a str,
        /// Its name.
        name: &'a str,
    },
    /// A user whose name has the form of a machine's identity in another system; which form.
    Machine(&'static str),
    /// A user named by an e-mail address or UPN.
    Person,
    /// A group of another system.
    Group,
    /// A group (or user) that stands for everybody or every service account.
    Everyone,
    /// All service accounts of this namespace.
    AccountsOf(&'a str),
    /// `system:masters`.
    Masters,
    /// Kubernetes' own users and groups, names that say nothing, and names that somebody still has to fill in.
    Other,
}

impl<'a> Subject<'a> {
    /// Reads an element of `subjects` of a binding in `namespace` (empty for a cluster role binding).
    pub(crate) fn of(node: Node<'a>, namespace: &'a str, settings: &Settings) -> Self {
        let kind = node.text("kind").unwrap_or("");
        let name = node.get("name");
        let text = name.str().unwrap_or("");
        let own = node.get("namespace").filled();
        let who = match kind {
            _ if text.is_empty() || !is_filled_in(text) => Who::Other,
            "ServiceAccount" => Who::Account { namespace: own.unwrap_or(namespace), name: text },
            "User" => user(text, settings),
            "Group" => group(text),
            _ => Who::Other,
        };
        Subject { name, kind, who }
    }

    /// How the settings call it: `namespace/name` or the name.
    fn called(&self) -> String {
        match self.who {
            Who::Account { namespace, name } => format!("{namespace}/{name}"),
            _ => self.name.peek_str().unwrap_or("").to_owned(),
        }
    }

    /// How messages call it.
    pub(crate) fn title(&self) -> String {
        let name = self.called();
        match self.who {
            Who::Account { .. } => format!("service account `{name}`"),
            Who::Machine(form) => format!("user `{name}` ({form})"),
            _ if self.kind == "Group" => format!("group `{name}`"),
            _ => format!("user `{name}`"),
        }
    }

    /// Whether the settings accept it in a role.
    pub(crate) fn is_allowed(&self, role: &str, settings: &Settings) -> bool {
        !settings.allowed.is_empty()
            && settings.allowed.iter().any(|allowed| {
                let kind = if matches!(self.who, Who::Account { .. }) { "ServiceAccount" } else { self.kind };
                allowed.role.matches(role) && (allowed.kind.is_empty() || allowed.kind == kind) && allowed.subject.matches(&self.called())
            })
    }
}

/// Groups in capitals are names, not variables that somebody forgot to replace.
fn is_filled_in(name: &str) -> bool {
    text::classify(&name.to_ascii_lowercase()) == text::Value::Plain && text::classify(name) != text::Value::NotKnown
}

fn user<'a>(name: &'a str, settings: &Settings) -> Who<'a> {
    if let Some((namespace, name)) = trust::service_account(name) {
        return Who::Account { namespace, name };
    }
    if name == "system:anonymous" {
        return Who::Everyone;
    }
    if name.contains(":system:serviceaccount:") || name.contains("#system:serviceaccount:") {
        return Who::Machine("a service account of another cluster");
    }
    if name.starts_with("system:") {
        return Who::Other;
    }
    if text::is_guid(name) {
        return Who::Machine("an Entra object id: a managed identity, an application or a guest");
    }
    if name.starts_with("spiffe://") {
        return Who::Machine("a SPIFFE id");
    }
    if name.starts_with("https://") || name.starts_with("http://") || name.starts_with("principal://") {
        return Who::Machine("a token's issuer and subject");
    }
    if is_aws_arn(name) {
        return Who::Machine("an AWS identity");
    }
    if is_email(name) {
        return if name.ends_with(".gserviceaccount.com") { Who::Machine("a Google service account") } else { Who::Person };
    }
    if any_matches(&settings.federated_user_patterns, name) {
        return Who::Machine("a user of another system");
    }
    Who::Other
}

fn group(name: &str) -> Who<'_> {
    match name {
        "system:masters" => Who::Masters,
        "system:authenticated" | "system:unauthenticated" | "system:serviceaccounts" => Who::Everyone,
        "kubeadm:cluster-admins" => Who::Other,
        _ => match (name.strip_prefix("system:serviceaccounts:"), name.starts_with("system:")) {
            (Some(namespace), _) => Who::AccountsOf(namespace),
            (None, true) => Who::Other,
            (None, false) => Who::Group,
        },
    }
}

/// `arn:aws:iam::111122223333:…` or `sts`, in any partition.
fn is_aws_arn(name: &str) -> bool {
    let mut parts = name.splitn(6, ':');
    let mut next = || parts.next().unwrap_or("");
    next() == "arn"
        && next().starts_with("aws")
        && matches!(next(), "iam" | "sts")
        && next().is_empty()
        && Some(next()).is_some_and(|account| account.len() == 12 && account.bytes().all(|byte| byte.is_ascii_digit()))
        && !next().is_empty()
}

fn is_email(name: &str) -> bool {
    name.rsplit_once('@').is_some_and(|(user, host)| {
        !user.is_empty() && host.contains('.') && !host.starts_with('.') && !host.contains(['/', ':', ' ']) && !name.contains(' ')
    })
}

/// A subject that is federated, and why.
pub(crate) struct Federated<'a> {
    /// The subject.
    pub(crate) subject: Subject<'a>,
    /// What kind of federation.
    pub(crate) class: Class,
    /// For a service account, what federates it.
    marks: Vec<(Provider, Node<'a>)>,
}

/// Kinds of federation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Class {
    /// A workload, or a machine's user.
    Machine,
    /// A service account that is federated only by people who act as it through Argo's single sign-on.
    Sso,
    /// A person.
    Person,
    /// A group.
    Group,
}

impl<'a> Federated<'a> {
    /// Judges a subject; `None` if it is not federated, as far as is known.
    pub(crate) fn of(cx: &Check<'a, Settings>, subject: Subject<'a>) -> Option<Self> {
        let mut marks = Vec::new();
        let class = match subject.who {
            Who::Account { namespace, name } if !namespace.is_empty() => {
                marks = identity::federation(cx.context, cx.common, namespace, name, subject.name);
                class_of(&marks)?
            }
            Who::Machine(_) => Class::Machine,
            Who::Person => Class::Person,
            Who::Group => Class::Group,
            _ => return None,
        };
        Some(Federated { subject, class, marks })
    }

    /// A service account that is itself under admission, and the subject that names it.
    pub(crate) fn account(subject: Subject<'a>, marks: Vec<(Provider, Node<'a>)>) -> Option<Self> {
        Some(Federated { subject, class: class_of(&marks)?, marks })
    }

    /// The same account as those see it who act as it through Argo's single sign-on, if there are any.
    pub(crate) fn as_sso(&self) -> Option<Self> {
        let marks: Vec<_> = self.marks.iter().filter(|(provider, _)| *provider == Provider::ArgoSso).copied().collect();
        (!marks.is_empty()).then_some(Federated { subject: self.subject, class: Class::Sso, marks })
    }

    /// Whether it is a person, or a group of them.
    pub(crate) fn is_human(&self) -> bool {
        matches!(self.class, Class::Person | Class::Group)
    }

    /// Its namespace, if it is a service account.
    pub(crate) fn home(&self) -> Option<&'a str> {
        match self.subject.who {
            Who::Account { namespace, .. } => Some(namespace),
            _ => None,
        }
    }

    /// How messages call it, with the reason why it counts as federated.
    pub(crate) fn title(&self) -> String {
        let title = self.subject.title();
        let providers = self.marks.iter().map(|(provider, _)| *provider);
        match providers.filter(|provider| self.class == Class::Sso || *provider != Provider::ArgoSso).min() {
            None => title,
            Some(Provider::Azure) => format!("{title}, which signs in to Azure,"),
            Some(Provider::AwsIrsa | Provider::AwsPodIdentity) => format!("{title}, which signs in to AWS,"),
            Some(Provider::Gcp) => format!("{title}, which signs in to Google Cloud,"),
            Some(Provider::ArgoSso) => format!("{title}, as which people act through Argo's single sign-on,"),
            Some(Provider::Other) => format!("{title}, which is federated,"),
        }
    }

    /// A report on the subject's name, with what federates it.
    pub(crate) fn report(&self, condition: &'a Condition, message: String) -> Report<'a> {
        let report = Report::new(condition, self.subject.name, message);
        self.marks
            .iter()
            // The settings mark the subject itself.
            .filter(|(_, node)| node.foreign().is_some())
            .fold(report, |report, (_, node)| report.related(telling(*node), "what federates the service account"))
    }
}

/// The field of a trust object that names the account; of anything else, the node itself.
fn telling(node: Node<'_>) -> Node<'_> {
    let subject = trust::Credential::of(node).map(|credential| credential.subject);
    subject.or_else(|| trust::PodIdentity::of(node).map(|association| association.service_account)).unwrap_or(node)
}

fn class_of(marks: &[(Provider, Node<'_>)]) -> Option<Class> {
    let (mut any, mut machine) = (false, false);
    for (provider, _) in marks {
        any = true;
        machine |= *provider != Provider::ArgoSso;
    }
    any.then_some(if machine { Class::Machine } else { Class::Sso })
}

/// One step lower; `None` below info.
pub(crate) fn lower(level: Severity) -> Option<Severity> {
    match level {
        Severity::Error => Some(Severity::Warning),
        Severity::Warning => Some(Severity::Info),
        Severity::Info => None,
    }
}

#[cfg(test)]
mod tests {
    use super::{Who, group, is_filled_in, user};
    use crate::settings::Settings;
    use fedward_kit::text::Glob;

    fn settings() -> Settings {
        Settings {
            privileged_cluster_roles: Vec::new(),
            detect_equivalent: true,
            federated_user_patterns: vec![Glob::new("oidc:*")],
            protected_namespaces: Vec::new(),
            forbid_admin_groups: false,
            allowed: Vec::new(),
        }
    }

    #[test]
    fn tells_machines_from_people() {
        let settings = settings();
        for name in [
            "6f1b1c9e-2d0a-4b7c-9a57-0c8d6f2e4a11",
            "https://issuer.example#build",
            "arn:aws:iam::111122223333:role/deployer",
            "arn:aws-us-gov:sts::111122223333:assumed-role/deployer/session",
            "deployer@project.iam.gserviceaccount.com",
            "spiffe://example/ns/a/sa/b",
            "oidc:build",
            "hub:system:serviceaccount:argocd:deployer",
        ] {
            assert!(matches!(user(name, &settings), Who::Machine(_)), "{name}");
        }
        for name in ["alice@example.com", "oidc:alice@example.com", "guest_example.org#EXT#@tenant.example"] {
            assert_eq!(user(name, &settings), Who::Person, "{name}");
        }
        for name in ["alice", "system:kube-scheduler", "system:node:worker-1", "arn:aws:iam::12:role/x", "arn:aws:s3:::bucket", "a@b"] {
            assert_eq!(user(name, &settings), Who::Other, "{name}");
        }
        assert_eq!(user("system:serviceaccount:a:b", &settings), Who::Account { namespace: "a", name: "b" });
        assert_eq!(user("system:anonymous", &settings), Who::Everyone);
    }

    #[test]
    fn tells_groups_apart() {
        assert_eq!(group("system:masters"), Who::Masters);
        assert_eq!(group("system:authenticated"), Who::Everyone);
        assert_eq!(group("system:serviceaccounts:argocd"), Who::AccountsOf("argocd"));
        for name in ["system:nodes", "system:cluster-admins", "kubeadm:cluster-admins"] {
            assert_eq!(group(name), Who::Other, "{name}");
        }
        for name in ["6f1b1c9e-2d0a-4b7c-9a57-0c8d6f2e4a11", "oidc:platform", "platform"] {
            assert_eq!(group(name), Who::Group, "{name}");
        }
    }

    #[test]
    fn groups_in_capitals_are_names() {
        assert!(is_filled_in("PLATFORM_ADMINS"));
        for name in ["<object-id>", "${GROUP_ID}", "{{ .Values.group }}", "REPLACE_ME", "00000000-0000-0000-0000-000000000000"] {
            assert!(!is_filled_in(name), "{name}");
        }
    }
}
