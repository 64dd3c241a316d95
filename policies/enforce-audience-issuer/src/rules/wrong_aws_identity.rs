//! Reports AWS identities that cannot work: no ARN of a role, another partition, a role that does not let the service account in.
//!
//! ## What it does
//! * `eks.amazonaws.com/role-arn` has to be `arn:<partition>:iam::<12 digits>:role/<path and name>`. With the setting `composeRoleArn`,
//!   for webhooks that run with `--compose-role-arn`, a bare role name is right too.
//! * The partition has to fit the cluster's region, where the setting `clusterIssuer` tells it.
//! * The trust policy of the role has to let the service account in, where the checked set holds a role of that name which trusts an
//!   OIDC provider of the same AWS account. Offline nothing is said of accounts in `default`: often only their namespace is missing.
//! * `eks.amazonaws.com/audience` (`sts.amazonaws.com` if it is absent) has to be one that the role's trust policy and its IAM OIDC
//!   provider accept, where the checked set holds them. An audience that nothing in the set speaks of and that is not known is only
//!   recorded, since an OIDC provider may list any.
//! * The role of an EKS Pod Identity association has to be the ARN of a role, too, and so has that in the variable `AWS_ROLE_ARN`, in
//!   KEDA's `roleArn`, and in the `roleARN` of Argo CD's cluster Secrets.
//!
//! ## Why it is bad
//! The webhook logs a wrong ARN and injects it all the same. Every call to AWS then fails with `AccessDenied` or `InvalidIdentityToken`.
//!
//! ## Example
//! ```yaml
//! annotations:
//!   eks.amazonaws.com/role-arn: arn:aws:iam::1234567:role/reports
//! ```
//!
//! ## Use instead
//! ```yaml
//! annotations:
//!   eks.amazonaws.com/role-arn: arn:aws:iam::123456789012:role/reports
//! ```
//!
//! ## Settings
//! `clusterIssuer`, `composeRoleArn`
//!
//! ## References
//! aws/amazon-eks-pod-identity-webhook, README (annotations) and `pkg/cache/cache.go` (the pattern of ARNs); EKS user guide, "IAM roles for
//! service accounts".

use fedward_kit::finding::PatchStep;
use fedward_kit::iam::Statement;
use fedward_kit::identity::{AWS_ROLE_ARN, ServiceAccount};
use fedward_kit::node::Node;
use fedward_kit::rule::{Check, Condition, Report, Rule};
use fedward_kit::text::Glob;
use fedward_kit::trust::PodIdentity;
use fedward_kit::{audience, iam, index, issuer};

use crate::fields;
use crate::settings::Settings;
use crate::trusted::plain;

const ARN: Condition = Condition::error("role-arn", "the annotation, or the role of an association, is not the ARN of a role");
const OTHER_ARN: Condition = Condition::warning("other-role-arn", "a variable or another field that names a role is not its ARN");
const PARTITION: Condition = Condition::warning("partition", "the ARN's partition is not that of the cluster's region");
const NOT_ADMITTED: Condition = Condition::warning("not-admitted", "the trust policy of the role lets in other service accounts only");
const NOT_ADMITTED_DRAFT: Condition = Condition::info("not-admitted-draft", "the same in a base that something patches");
const REFUSED: Condition =
    Condition::error("audience-refused", "the role's trust policy or its OIDC provider in the set has other audiences");
const REFUSED_SO_FAR: Condition = Condition::warning("audience-refused-so-far", "the same in a cluster, where the role may still change");
const REFUSED_DRAFT: Condition = Condition::info("audience-refused-draft", "the same in a base that something patches");
const UNKNOWN: Condition = Condition::info("unknown-audience", "nothing in the set speaks of the audience, and it is not known");

/// The rule.
pub const RULE: Rule<Settings> = Rule {
    id: "wrong-aws-identity",
    summary: "an AWS identity cannot work: no ARN, or a role that does not let the service account in",
    conditions: &[ARN, OTHER_ARN, PARTITION, NOT_ADMITTED, NOT_ADMITTED_DRAFT, REFUSED, REFUSED_SO_FAR, REFUSED_DRAFT, UNKNOWN],
    supersedes: &[],
    check,
};

/// The annotation with the audience of the tokens that the EKS webhook projects.
const AUDIENCE: &str = "eks.amazonaws.com/audience";

fn check(cx: &Check<'_, Settings>) {
    if !cx.is("", "ServiceAccount") {
        return check_fields(cx);
    }
    let account = ServiceAccount::of(cx.object);
    let node = account.annotation(AWS_ROLE_ARN);
    let Some(text) = plain(node) else { return };
    match role(text) {
        Some((partition, name)) => {
            check_partition(cx, node, partition);
            check_trust(cx, account, node, name);
        }
        None if cx.settings.compose_role_arn && has_role_letters(text) => check_trust(cx, account, node, text),
        None => not_an_arn(cx, &ARN, node, text, &format!("`{text}`")),
    }
}

/// Roles that are named elsewhere than on a service account.
fn check_fields(cx: &Check<'_, Settings>) {
    let is_association = PodIdentity::of(cx.object).is_some();
    for field in fields::all(cx) {
        let condition = match field.name {
            AWS_ROLE_ARN if cx.settings.compose_role_arn => continue,
            AWS_ROLE_ARN => &ARN,
            "roleARN" if is_association => &ARN,
            "AWS_ROLE_ARN" | "roleARN" | "roleArn" => &OTHER_ARN,
            _ => continue,
        };
        if plain(field.node).is_some() && role(field.text).is_none() {
            let shown = field.shown(cx.object);
            let shown = shown.strip_prefix(": ").map_or_else(|| format!("`{}`", field.name), str::to_owned);
            not_an_arn(cx, condition, field.node, field.text, &shown);
        }
    }
}

fn not_an_arn<'a>(cx: &Check<'a, Settings>, condition: &'static Condition, node: Node<'a>, text: &str, shown: &str) {
    let report = Report::new(condition, node, format!("{shown} is not the ARN of an IAM role"));
    cx.report(if role(text.trim()).is_some() {
        report.help("remove the spaces around it").fix(PatchStep::set(node, text.trim()))
    } else {
        report.help("write `arn:aws:iam::<account, 12 digits>:role/<name>`")
    });
}

/// How the names of regions begin, and their partitions. The region of a partition that came later is not known.
const PARTITIONS: [(&str, &str); 17] = [
    ("cn-", "aws-cn"),
    ("us-gov-", "aws-us-gov"),
    ("us-iso-", "aws-iso"),
    ("us-isob-", "aws-iso-b"),
    ("eu-isoe-", "aws-iso-e"),
    ("us-isof-", "aws-iso-f"),
    ("eusc-", "aws-eusc"),
    ("us-east-", "aws"),
    ("us-west-", "aws"),
    ("eu-", "aws"),
    ("ap-", "aws"),
    ("ca-", "aws"),
    ("sa-", "aws"),
    ("me-", "aws"),
    ("af-", "aws"),
    ("il-", "aws"),
    ("mx-", "aws"),
];

fn check_partition<'a>(cx: &Check<'a, Settings>, node: Node<'a>, partition: &str) {
    let Some(region) = issuer::eks_region(&cx.settings.cluster_issuer) else { return };
    let Some((_, expected)) = PARTITIONS.iter().find(|(start, _)| region.starts_with(start)) else { return };
    if partition != *expected {
        let message = format!("the role is in partition `{partition}`, but the cluster's region `{region}` is in `{expected}`");
        cx.report(Report::new(&PARTITION, node, message).help("a role can only be assumed by tokens of its own partition"));
    }
}

/// What the role's trust policy says of the account, where the set holds it.
fn check_trust<'a>(cx: &Check<'a, Settings>, account: ServiceAccount<'a>, role_node: Node<'a>, role: &str) {
    let (namespace, name) = (cx.request.namespace, cx.request.name);
    let subject = format!("system:serviceaccount:{namespace}:{name}");
    let roles = index::roles_named(cx.context, role, role_node).unwrap_or_default();
    let statements: Vec<Statement<'a>> = roles
        .items
        .iter()
        .filter_map(|object| iam::policy(*object))
        .flat_map(iam::statements)
        .filter(|one| !one.lacks(WEB_IDENTITY))
        .collect();
    let (mut own, mut is_open, mut other) = (Vec::new(), roles.more > 0, None);
    for statement in &statements {
        match statement.admits(&subject) {
            Some(true) => own.push(statement),
            None => is_open = true,
            // A role of the same name in another AWS account is another role.
            Some(false) if !is_of_account(statement, role_node) => is_open = true,
            Some(false) => other = other.or_else(|| statement.tests_of("sub").first().map(|test| test.node)),
        }
    }
    let is_placed = !cx.context.indexed || namespace != "default";
    match other {
        Some(place) if own.is_empty() && !is_open && is_placed => cx.report(
            Report::new(
                if cx.request.is_final { &NOT_ADMITTED } else { &NOT_ADMITTED_DRAFT },
                role_node,
                format!("the trust policy of the role `{role}` does not let `{namespace}/{name}` in"),
            )
            .help(format!("let `{subject}` in there, or name a role that does"))
            .related(place, "the service accounts that it lets in"),
        ),
        _ => check_audience(cx, account, role_node, &own),
    }
}

const WEB_IDENTITY: &str = "sts:AssumeRoleWithWebIdentity";

/// Whether a statement trusts an OIDC provider of the role's AWS account.
fn is_of_account(statement: &Statement<'_>, role: Node<'_>) -> bool {
    let account = |arn: Node<'_>| plain(arn)?.split(':').nth(4).map(str::to_owned);
    account(role).is_some_and(|own| statement.issuers.iter().any(|(provider, _)| account(*provider).as_ref() == Some(&own)))
}

/// Whether one of the statements that let the account in accepts the audience of its tokens.
fn check_audience<'a>(cx: &Check<'a, Settings>, account: ServiceAccount<'a>, role_node: Node<'a>, own: &[&Statement<'a>]) {
    let node = account.annotation(AUDIENCE);
    let (node, wanted) = match node.filled() {
        Some(_) => match plain(node) {
            Some(text) => (node, text),
            None => return,
        },
        None => (role_node, audience::AWS_STS),
    };
    let mut refused = None;
    for statement in own {
        let refusing = statement
            .tests_of("aud")
            .into_iter()
            .find(|test| !test.values().iter().any(|value| value.peek_str().is_some_and(|text| fits(text, wanted, test.is_pattern()))));
        let provider = || statement.issuers.iter().find_map(|(_, issuer)| refusing_provider(cx, issuer, wanted, role_node));
        match refusing.map(|test| (test.node, "the role's trust policy")).or_else(|| Some((provider()?, "the IAM OIDC provider"))) {
            Some(place) => refused = refused.or(Some(place)),
            None => return,
        }
    }
    if let Some((place, source)) = refused {
        let condition = match (cx.request.is_final, cx.context.indexed) {
            (false, _) => &REFUSED_DRAFT,
            (true, false) => &REFUSED_SO_FAR,
            (true, true) => &REFUSED,
        };
        let message = format!("the account's tokens have the audience `{wanted}`, which {source} does not accept");
        cx.report(
            Report::new(condition, node, message)
                .help(format!("set `{AUDIENCE}` to an audience that is accepted, or add `{wanted}` there"))
                .related(place, "the audiences that are accepted"),
        );
    // A slip of a known audience is `misspelt-audience`'s matter.
    } else if !audience::is_known(wanted) && audience::slip(wanted).is_none() {
        cx.report(
            Report::new(&UNKNOWN, node, format!("the audience `{wanted}` is none that AWS is known to be given"))
                .help("check that the IAM OIDC provider of the cluster lists it"),
        );
    }
}

/// The list of audiences of the issuer's IAM OIDC provider, if it does not hold the one that is wanted.
fn refusing_provider<'a>(cx: &Check<'a, Settings>, issuer: &str, wanted: &str, anchor: Node<'a>) -> Option<Node<'a>> {
    let object = index::oidc_providers(cx.context, issuer, anchor)?.items.into_iter().next()?;
    let (_, audiences) = iam::oidc_provider(object)?;
    let mut known = audiences.peek_items().filter_map(|item| item.peek_str()).peekable();
    (known.peek().is_some() && known.all(|audience| audience != wanted)).then_some(audiences)
}

fn fits(accepted: &str, wanted: &str, is_pattern: bool) -> bool {
    accepted == wanted || (is_pattern && Glob::new(accepted).matches(wanted))
}

/// The partition and the name of the role in an ARN.
fn role(arn: &str) -> Option<(&str, &str)> {
    let rest = arn.strip_prefix("arn:")?;
    let (partition, rest) = rest.split_once(":iam::")?;
    let (account, path) = rest.split_once(":role/")?;
    let is_partition =
        partition.starts_with("aws") && partition.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
    let is_account = account.len() == 12 && account.bytes().all(|byte| byte.is_ascii_digit());
    let name = path.rsplit('/').next().unwrap_or("");
    (is_partition && is_account && has_role_letters(path) && !name.is_empty()).then_some((partition, name))
}

/// Letters of role names and paths.
fn has_role_letters(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-/.@+=,".contains(&byte))
}

#[cfg(test)]
mod tests {
    use super::role;

    #[test]
    fn reads_arns_of_roles() {
        assert_eq!(role("arn:aws:iam::123456789012:role/reports"), Some(("aws", "reports")));
        assert_eq!(role("arn:aws-us-gov:iam::123456789012:role/team/a/reports"), Some(("aws-us-gov", "reports")));
        for arn in [
            "arn:aws:iam::1234567:role/reports",
            "arn:aws:iam::123456789012:user/reports",
            "arn:aws:iam::123456789012:role/",
            "arn:aws:iam::123456789012:role/re ports",
            "arn:aws:sts::123456789012:assumed-role/reports",
            "arn:gcp:iam::123456789012:role/reports",
            "reports",
        ] {
            assert_eq!(role(arn), None, "{arn}");
        }
    }
}
