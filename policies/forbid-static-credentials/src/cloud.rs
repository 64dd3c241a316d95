//! Clouds, and whether a pod has an identity of one.

use std::cell::OnceCell;

use fedward_kit::identity::{self, AZURE_USE, Provider};
use fedward_kit::node::Node;
use fedward_kit::rule::Check;
use fedward_kit::workload::Pod;
use fedward_kit::{audience, projection};

use crate::settings::Settings;

/// A cloud that takes a cluster's tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Cloud {
    Azure,
    Aws,
    Google,
}

impl Cloud {
    /// The name in messages.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Cloud::Azure => "Azure",
            Cloud::Aws => "AWS",
            Cloud::Google => "Google Cloud",
        }
    }

    fn of(provider: Provider) -> Option<Self> {
        match provider {
            Provider::Azure => Some(Cloud::Azure),
            Provider::AwsIrsa | Provider::AwsPodIdentity => Some(Cloud::Aws),
            Provider::Gcp => Some(Cloud::Google),
            Provider::ArgoSso | Provider::Other => None,
        }
    }
}

/// The clouds that a pod signs in to without a stored credential, each with what says so; asked for once.
pub(crate) struct Identities<'p, 'a> {
    pod: &'p Pod<'a>,
    found: OnceCell<Vec<(Cloud, Node<'a>)>>,
}

impl<'p, 'a> Identities<'p, 'a> {
    pub(crate) fn new(pod: &'p Pod<'a>) -> Self {
        Identities { pod, found: OnceCell::new() }
    }

    /// What gives the pod an identity of the cloud.
    pub(crate) fn of(&self, cx: &Check<'a, Settings>, cloud: Cloud) -> Option<Node<'a>> {
        self.found.get_or_init(|| find(cx, self.pod)).iter().find(|(of, _)| *of == cloud).map(|(_, why)| *why)
    }
}

fn find<'a>(cx: &Check<'a, Settings>, pod: &Pod<'a>) -> Vec<(Cloud, Node<'a>)> {
    let mut found = Vec::new();
    let label = pod.label(AZURE_USE);
    if label.peek_str() == Some("true") {
        found.push((Cloud::Azure, label));
    }
    for token in projection::tokens(pod) {
        let cloud = token.audience.peek_str().and_then(audience::provider).and_then(Cloud::of);
        found.extend(cloud.map(|cloud| (cloud, token.audience)));
    }
    let marks = if pod.account_metadata.is_some() {
        identity::account_of(pod, cx.context).found().map(|account| account.marks()).unwrap_or_default()
    } else {
        let federation = |name| identity::federation(cx.context, cx.common, pod.namespace, name, pod.account.node());
        pod.account.name().map(federation).unwrap_or_default()
    };
    found.extend(marks.into_iter().filter_map(|(provider, mark)| Some((Cloud::of(provider)?, mark))));
    found
}
