//! What registers a repository or a cluster with Argo CD: a Secret, or what a SealedSecret or ExternalSecret makes one of.

use fedward_kit::node::Node;
use fedward_kit::request::group_of;
use fedward_kit::rule::Check;
use fedward_kit::text::{self, classify};
use fedward_kit::{secret, url};

use crate::settings::Settings;

/// The label that tells Argo CD what a Secret is.
pub(crate) const TYPE_LABEL: &str = "argocd.argoproj.io/secret-type";
/// Its values for repositories and their credentials.
const REPOSITORY_TYPES: [&str; 4] = ["repository", "repo-creds", "repository-write", "repo-write-creds"];
/// All its values.
pub(crate) const TYPES: [&str; 6] = ["repository", "repo-creds", "repository-write", "repo-write-creds", "cluster", "scm-creds"];

/// Where the values of a Secret stand.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    /// In the Secret.
    Secret,
    /// In the template of a SealedSecret; the others are encrypted.
    Sealed,
    /// In the template of an ExternalSecret; the others come from elsewhere.
    External,
}

/// A Secret, as far as it is written down.
#[derive(Clone, Copy)]
pub(crate) struct Registered<'a> {
    /// Where its values stand.
    pub form: Form,
    /// The map of its labels.
    pub labels: Node<'a>,
    object: Node<'a>,
}

/// What is known of a value.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Known<'a> {
    /// There is none.
    Absent,
    /// It comes from elsewhere, is encrypted, or is still to be filled in.
    No,
    /// A text, which may be empty.
    Text(&'a str),
}

impl<'a> Known<'a> {
    /// The text, if it is known.
    pub(crate) fn text(self) -> Option<&'a str> {
        match self {
            Known::Text(text) => Some(text),
            Known::Absent | Known::No => None,
        }
    }
}

/// What is known of a node's text.
pub(crate) fn known(node: Node<'_>) -> Known<'_> {
    match node.peek_str() {
        Some(text) if classify(text) == text::Value::Plain => Known::Text(text),
        None if node.is_absent() => Known::Absent,
        _ => Known::No,
    }
}

impl<'a> Registered<'a> {
    /// The Secret under admission, or what will make one.
    pub(crate) fn under(cx: &Check<'a, Settings>) -> Option<Self> {
        Self::of(cx.object)
    }

    /// The Secret that an object is, or will make.
    pub(crate) fn of(object: Node<'a>) -> Option<Self> {
        let labels = |holder: Node<'a>| holder.peek("metadata").peek("labels");
        let kind = object.peek_text("kind").filter(|kind| kind.ends_with("Secret"))?;
        let spec = object.peek("spec");
        let (form, labels) = match (group_of(object.peek_text("apiVersion")?), kind) {
            ("", "Secret") => (Form::Secret, labels(object)),
            ("bitnami.com", "SealedSecret") => (Form::Sealed, labels(spec.peek("template"))),
            ("external-secrets.io", "ExternalSecret") => {
                let template = spec.peek("target").peek("template");
                // Without a template the Secret gets the labels of its maker.
                (Form::External, labels(if template.is_present() { template } else { object }))
            }
            _ => return None,
        };
        Some(Registered { form, labels, object })
    }

    /// The value of the label that tells Argo CD what it is.
    pub(crate) fn secret_type(&self) -> &'a str {
        self.labels.peek(TYPE_LABEL).peek_str().unwrap_or("")
    }

    /// The value of a key, decoded.
    pub(crate) fn value(&self, key: &'a str) -> Node<'a> {
        match self.form {
            Form::Secret => secret::value(self.object, key),
            Form::Sealed | Form::External => self.templates().peek(key),
        }
    }

    /// Where the value of a key stands, as it is written.
    pub(crate) fn field(&self, key: &'a str) -> Node<'a> {
        if self.form != Form::Secret {
            return self.templates().peek(key);
        }
        let (plain, data) = (self.object.peek("stringData"), self.object.peek("data"));
        let is_in_data = plain.peek(key).value().is_none() && (data.peek(key).is_present() || plain.is_absent() && data.is_present());
        if is_in_data { data.peek(key) } else { plain.peek(key) }
    }

    /// Every place where the key stands: `stringData`, and `data` that it would uncover.
    pub(crate) fn fields(&self, key: &'a str) -> Vec<Node<'a>> {
        match self.form {
            Form::Secret => ["stringData", "data"].map(|map| self.object.peek(map).peek(key)).to_vec(),
            Form::Sealed | Form::External => vec![self.templates().peek(key)],
        }
        .into_iter()
        .filter(|node| node.value().is_some())
        .collect()
    }

    /// What is known of the value of a key.
    pub(crate) fn known(&self, key: &'a str) -> Known<'a> {
        match known(self.value(key)) {
            Known::Absent if self.comes_from_elsewhere(key) => Known::No,
            known => known,
        }
    }

    /// Whether the key has a value that is not empty, known or not.
    pub(crate) fn has(&self, key: &'a str) -> bool {
        !matches!(self.known(key), Known::Absent | Known::Text(""))
    }

    fn templates(&self) -> Node<'a> {
        let spec = self.object.peek("spec");
        let template = if self.form == Form::Sealed { spec.peek("template") } else { spec.peek("target").peek("template") };
        template.peek("data")
    }

    fn comes_from_elsewhere(&self, key: &'a str) -> bool {
        let spec = self.object.peek("spec");
        match self.form {
            // What is no base64 of a text.
            Form::Secret => self.field(key).is_present(),
            Form::Sealed => spec.peek("encryptedData").peek(key).is_present(),
            Form::External => {
                let target = spec.peek("target").peek("template");
                let has_any = |list: Node<'a>| list.peek_items().next().is_some();
                let is_kept = target.peek_text("mergePolicy") == Some("Merge") || self.templates().is_absent();
                let is_named = || spec.peek("data").peek_items().any(|entry| entry.peek_text("secretKey") == Some(key));
                has_any(target.peek("templateFrom")) || is_kept && (has_any(spec.peek("dataFrom")) || is_named())
            }
        }
    }
}

/// How Argo CD reads a repository.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Protocol {
    /// With Git.
    Git,
    /// With Helm.
    Helm,
    /// As an OCI artifact.
    Oci,
    /// It cannot be known.
    NotKnown,
}

/// What `useAzureWorkloadIdentity` says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Flag {
    /// The repository is read with the workload identity.
    On,
    /// It is not.
    Off,
    /// It is no boolean.
    Wrong,
    /// It cannot be known.
    NotKnown,
}

/// The key of the flag.
pub(crate) const FLAG: &str = "useAzureWorkloadIdentity";

/// A repository, or credentials for all repositories whose address begins alike.
pub(crate) struct Repository<'a> {
    /// The Secret.
    pub secret: Registered<'a>,
    /// Whether it is credentials for all repositories whose address begins with its `url`.
    pub is_template: bool,
    /// How it is read.
    pub protocol: Protocol,
    /// Its address, or how addresses begin.
    pub url: Known<'a>,
    /// Whether it is read with the workload identity.
    pub flag: Flag,
}

impl<'a> Repository<'a> {
    /// The repository that the object under admission registers.
    pub(crate) fn under(cx: &Check<'a, Settings>) -> Option<Self> {
        Registered::under(cx).and_then(Self::of)
    }

    /// The repository of a Secret.
    pub(crate) fn of(secret: Registered<'a>) -> Option<Self> {
        let kind = secret.secret_type();
        if !REPOSITORY_TYPES.contains(&kind) {
            return None;
        }
        let protocol = match secret.known("type") {
            Known::Absent | Known::Text("") => Protocol::Git,
            Known::Text(text) if text.eq_ignore_ascii_case("git") => Protocol::Git,
            Known::Text(text) if text.eq_ignore_ascii_case("helm") => Protocol::Helm,
            Known::Text(text) if text.eq_ignore_ascii_case("oci") => Protocol::Oci,
            Known::Text(_) | Known::No => Protocol::NotKnown,
        };
        // Read with its type: one that is not quoted is reported by `wrong-field-type`.
        _ = secret.value(FLAG).str();
        let flag = match secret.known(FLAG) {
            Known::Absent => Flag::Off,
            Known::No => Flag::NotKnown,
            Known::Text(text) => parse_bool(text).map_or(Flag::Wrong, |on| if on { Flag::On } else { Flag::Off }),
        };
        Some(Repository { secret, is_template: kind.ends_with("creds"), protocol, url: secret.known("url"), flag })
    }

    /// A repository that is read with the workload identity.
    pub(crate) fn with_identity(cx: &Check<'a, Settings>) -> Option<Self> {
        Self::under(cx).filter(|repository| repository.flag == Flag::On)
    }

    /// Whether a boolean key is true.
    pub(crate) fn is_true(&self, key: &'a str) -> bool {
        self.secret.known(key).text().and_then(parse_bool) == Some(true)
    }
}

/// Go's `strconv.ParseBool`, as Argo CD reads booleans.
pub(crate) fn parse_bool(text: &str) -> Option<bool> {
    match text {
        "1" | "t" | "T" | "TRUE" | "true" | "True" => Some(true),
        "0" | "f" | "F" | "FALSE" | "false" | "False" => Some(false),
        _ => None,
    }
}

/// A repository's address, taken apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Address<'a> {
    /// Before `://`; empty where there is none.
    pub scheme: &'a str,
    /// The host, without user, port and path.
    pub host: &'a str,
    /// Whether something ends the host: a slash, a port, the colon of Git's short form.
    pub ends_host: bool,
    /// What comes after the first slash.
    pub path: &'a str,
    /// Whether Git reads it over SSH.
    pub is_ssh: bool,
}

impl<'a> Address<'a> {
    /// Takes an address apart: a URL, one without scheme as Helm has them, or Git's short form for SSH.
    pub(crate) fn of(text: &'a str) -> Self {
        let (scheme, rest) = match url::split(text) {
            Some(parts) => (parts.scheme, text.split_once("://").map_or("", |(_, rest)| rest)),
            None => text.split_once("://").unwrap_or(("", text)),
        };
        let end = rest.find(['/', '?', '#']);
        let authority = end.and_then(|end| rest.get(..end)).unwrap_or(rest);
        let path = end.and_then(|end| rest.get(end + 1..)).unwrap_or("");
        let (user, place) = authority.rsplit_once('@').map_or((None, authority), |(user, place)| (Some(user), place));
        let (host, port) = place.split_once(':').map_or((place, None), |(host, port)| (host, Some(port)));
        let is_short = scheme.is_empty() && user.is_some() && port.is_some();
        Address {
            scheme,
            host,
            ends_host: end.is_some() || is_short,
            path,
            is_ssh: is_short || scheme.eq_ignore_ascii_case("ssh") || scheme.eq_ignore_ascii_case("git+ssh"),
        }
    }

    /// Whether the host is one that may get a token of Microsoft Entra.
    pub(crate) fn is_azure(&self, settings: &Settings) -> bool {
        let host = self.host.to_ascii_lowercase();
        is_azure_host(&host) || text::any_matches(&settings.extra_azure_hosts, &host)
    }

    /// Whether it is a container registry of Azure.
    pub(crate) fn is_registry(&self) -> bool {
        is_registry_host(&self.host.to_ascii_lowercase())
    }
}

fn is_registry_host(host: &str) -> bool {
    [".azurecr.io", ".azurecr.us", ".azurecr.cn"].iter().any(|end| host.strip_suffix(end).is_some_and(|name| !name.is_empty()))
}

/// Whether a host, in lower case, is one of Azure DevOps or of Azure's registries.
fn is_azure_host(host: &str) -> bool {
    matches!(host, "dev.azure.com" | "ssh.dev.azure.com")
        || host.strip_suffix(".visualstudio.com").is_some_and(|name| !name.is_empty())
        || is_registry_host(host)
}

#[cfg(test)]
mod tests {
    use super::{Address, is_azure_host};

    #[test]
    fn takes_addresses_apart() {
        let parts = |text| {
            let Address { scheme, host, ends_host, path, is_ssh } = Address::of(text);
            (scheme, host, ends_host, path, is_ssh)
        };
        assert_eq!(parts("https://me:p@dev.azure.com/a/_git/b"), ("https", "dev.azure.com", true, "a/_git/b", false));
        assert_eq!(parts("https://dev.azure.com"), ("https", "dev.azure.com", false, "", false));
        assert_eq!(parts("https://dev.azure.com:443/"), ("https", "dev.azure.com", true, "", false));
        assert_eq!(parts("https://"), ("https", "", false, "", false));
        assert_eq!(parts("harbour.azurecr.io/charts"), ("", "harbour.azurecr.io", true, "charts", false));
        assert_eq!(parts("git@ssh.dev.azure.com:v3/a/b/c"), ("", "ssh.dev.azure.com", true, "a/b/c", true));
        assert_eq!(parts("ssh://git@ssh.dev.azure.com/v3/a"), ("ssh", "ssh.dev.azure.com", true, "v3/a", true));
        assert_eq!(parts(""), ("", "", false, "", false));
    }

    #[test]
    fn knows_the_hosts_of_azure() {
        for host in ["dev.azure.com", "harbour.visualstudio.com", "harbour.azurecr.io", "harbour.azurecr.us"] {
            assert!(is_azure_host(host), "{host}");
        }
        for host in ["", "dev.azure.com.evil.example", "notdev.azure.com", "azurecr.io", ".azurecr.io", "visualstudio.com", "git.example"] {
            assert!(!is_azure_host(host), "{host}");
        }
    }
}
