//! Who signs in as an AWS role.

use fedward_kit::context::List;
use fedward_kit::identity::{AWS_ROLE_ARN, ServiceAccount};
use fedward_kit::node::Node;
use fedward_kit::rule::Check;
use fedward_kit::{index, trust};

use crate::settings::Settings;

/// A service account, or EKS Pod Identity association, that uses the role: the field that names the role.
pub(crate) fn user_of<'a>(cx: &Check<'a, Settings>, role: &str, anchor: Node<'a>) -> Option<Node<'a>> {
    let selector = format!("roleArn={role}");
    let first = |list: Option<List<'a>>| list.and_then(|list| list.items.into_iter().next());
    let account = first(index::accounts_with_identity(cx.context, &selector, anchor));
    account.map(|account| ServiceAccount::of(account).annotation(AWS_ROLE_ARN)).or_else(|| {
        let association = first(index::pod_identities(cx.context, &selector, anchor))?;
        trust::PodIdentity::of(association).map(|association| association.role_arn)
    })
}
