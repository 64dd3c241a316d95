//! What the objects that make a cloud trust a cluster say: one view of credentials, IAM OIDC providers and workload identity pools.

use fedward_kit::iam;
use fedward_kit::node::Node;
use fedward_kit::rule::Check;
use fedward_kit::text::{self, Value};
use fedward_kit::trust::{Credential, GROUP};

use crate::settings::Settings;

/// Which cloud trusts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Side {
    /// Microsoft Entra: it fetches the issuer's keys, and compares every text exactly.
    Azure,
    /// AWS IAM: it fetches the issuer's keys.
    Aws,
    /// Google Cloud: keys may have been uploaded.
    Gcp,
}

/// The issuer that an object makes a cloud trust.
pub(crate) struct Issuer<'a> {
    /// The field, present or not; in a ConfigMap where the object says so.
    pub node: Node<'a>,
    /// Which cloud trusts.
    pub side: Side,
    /// The credential, on Azure's side.
    pub credential: Option<Credential<'a>>,
}

/// The issuer of the object under admission; `None` for other objects, and where the issuer is not known.
pub(crate) fn issuer<'a>(cx: &Check<'a, Settings>) -> Option<Issuer<'a>> {
    if let Some(credential) = Credential::of(cx.object) {
        let node = credential.issuer_in(cx.context, cx.request.namespace)?;
        return Some(Issuer { node, side: Side::Azure, credential: Some(credential) });
    }
    if let Some((node, _)) = iam::oidc_provider(cx.object) {
        return Some(Issuer { node, side: Side::Aws, credential: None });
    }
    let oidc = google_provider(cx)?.get("oidc");
    // A list of one in the first version of Crossplane's kind.
    let first = oidc.peek_items().next().filter(|_| cx.request.kind == "WorkloadIdentityPoolProvider");
    let oidc = first.unwrap_or(oidc);
    // A pool provider may trust AWS or a SAML provider instead.
    oidc.is_present().then(|| Issuer { node: oidc.get("issuerUri"), side: Side::Gcp, credential: None })
}

/// What a provider of Google's workload identity pools says; `None` for other objects.
pub(crate) fn google_provider<'a>(cx: &Check<'a, Settings>) -> Option<Node<'a>> {
    let spec = cx.object.peek("spec");
    match (cx.request.group, cx.request.kind) {
        ("iam.cnrm.cloud.google.com" | GROUP, "IAMWorkloadIdentityPoolProvider") => Some(spec),
        ("iam.gcp.upbound.io" | "iam.gcp.m.upbound.io", "WorkloadIdentityPoolProvider") => Some(spec.get("forProvider")),
        _ => None,
    }
}

/// The text of a field that can be judged: filled, no placeholder, nothing that only another system knows.
pub(crate) fn plain(node: Node<'_>) -> Option<&str> {
    node.filled().filter(|text| text::classify(text) == Value::Plain)
}
