//! Reports service accounts whose AWS annotations cannot work: no ARN of a role, another partition, an audience that the role refuses.
//!
//! ## What it does
//! * `eks.amazonaws.com/role-arn` has to be `arn:<partition>:iam::<12 digits>:role/<path and name>`. With the setting `composeRoleArn`,
//!   for webhooks that run with `--compose-role-arn`, a bare role name is right too.
//! * The partition has to fit the cluster's region, where the setting `clusterIssuer` tells it.
//! * `eks.amazonaws.com/audience` (`sts.amazonaws.com` if it is absent) has to be one that the role's trust policy and its IAM OIDC
//!   provider accept, where the checked set holds them. An audience that nothing in the set speaks of and that is not known is only
//!   recorded, since an OIDC provider may list any.
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
use fedward_kit::identity::{AWS_ROLE_ARN, ServiceAccount};
use fedward_kit::node::Node;
use fedward_kit::rule::{Check, Condition, Report, Rule};
use fedward_kit::text::Glob;
use fedward_kit::{audience, iam, index, issuer};

use crate::settings::Settings;
use crate::trusted::plain;

const ARN: Condition = Condition::error("role-arn", "the annotation is not the ARN of a role");
const PARTITION: Condition = Condition::warning("partition", "the ARN's partition is not that of the cluster's region");
const REFUSED: Condition =
    Condition::error("audience-refused", "the role's trust policy or its OIDC provider in the set has other audiences");
const REFUSED_SO_FAR: Condition = Condition::warning("audience-refused-so-far", "the same in a cluster, where the role may still change");
const REFUSED_DRAFT: Condition = Condition::info("audience-refused-draft", "the same in a base that something patches");
const UNKNOWN: Condition = Condition::info("unknown-audience", "nothing in the set speaks of the audience, and it is not known");

/// The rule.
pub const RULE: Rule<Settings> = Rule {
    id: "wrong-aws-identity",
    summary: "the AWS annotations of a service account cannot work",
    conditions: &[ARN, PARTITION, REFUSED, REFUSED_SO_FAR, REFUSED_DRAFT, UNKNOWN],
    supersedes: &[],
    check,
};

/// The annotation with the audience of the tokens that the EKS webhook projects.
const AUDIENCE: &str = "eks.amazonaws.com/audience";

fn check(cx: &Check<'_, Settings>) {
    if !cx.is("", "ServiceAccount") {
        return;
    }
    let account = ServiceAccount::of(cx.object);
    let node = account.annotation(AWS_ROLE_ARN);
    let Some(text) = plain(node) else { return };
    match role(text) {
        Some((partition, name)) => {
            check_partition(cx, node, partition);
            check_audience(cx, account, node, name);
        }
        None if cx.settings.compose_role_arn && has_role_letters(text) => check_audience(cx, account, node, text),
        None => {
            let report = Report::new(&ARN, node, format!("`{text}` is not the ARN of an IAM role"));
            cx.report(if role(text.trim()).is_some() {
                report.help("remove the spaces around it").fix(PatchStep::set(node, text.trim()))
            } else {
                report.help("write `arn:aws:iam::<account, 12 digits>:role/<name>`")
            });
        }
    }
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

fn check_audience<'a>(cx: &Check<'a, Settings>, account: ServiceAccount<'a>, role_node: Node<'a>, role: &str) {
    let node = account.annotation(AUDIENCE);
    let (node, wanted) = match node.filled() {
        Some(_) => match plain(node) {
            Some(text) => (node, text),
            None => return,
        },
        None => (role_node, audience::AWS_STS),
    };
    let roles = index::roles_for(cx.context, cx.request.namespace, cx.request.name, role_node).map(|list| list.items).unwrap_or_default();
    let subject = format!("system:serviceaccount:{}:{}", cx.request.namespace, cx.request.name);
    let mut is_accepted = false;
    for object in roles.into_iter().filter(|object| iam::role_name(*object) == Some(role)) {
        for statement in iam::policy(object).map(iam::statements).unwrap_or_default() {
            let is_own = statement.tests_of("sub").iter().flat_map(|test| test.values()).any(|value| value.peek_str() == Some(&subject));
            if !is_own {
                continue;
            }
            let refusing = statement
                .tests_of("aud")
                .into_iter()
                .find(|test| !test.values().iter().any(|value| value.peek_str().is_some_and(|text| fits(text, wanted, test.is_pattern()))));
            let provider = statement.issuers.iter().find_map(|(_, issuer)| refusing_provider(cx, issuer, wanted, role_node));
            match refusing.map(|test| test.node).or(provider) {
                Some(place) => {
                    let source = if refusing.is_some() { "the role's trust policy" } else { "the IAM OIDC provider" };
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
                    return;
                }
                None => is_accepted = true,
            }
        }
    }
    // A slip of a known audience is `misspelt-audience`'s matter.
    if !is_accepted && !audience::is_known(wanted) && audience::slip(wanted).is_none() {
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
