//! A cluster that Argo CD deploys to: the Secret with its server and the JSON that says how to sign in.

use fedward_kit::node::{Format, Node};
use fedward_kit::rule::Check;

use crate::registered::{Known, Registered, known};
use crate::settings::Settings;

/// A cluster Secret.
pub(crate) struct Cluster<'a> {
    /// The Secret.
    pub secret: Registered<'a>,
    /// The address of its API server.
    pub server: Known<'a>,
}

/// The only address that Argo CD takes for the cluster that it runs in.
pub(crate) const IN_CLUSTER: &str = "https://kubernetes.default.svc";
/// The program of Argo CD that signs in to clouds.
const PROGRAM: &str = "argocd-k8s-auth";

impl<'a> Cluster<'a> {
    /// The cluster that the object under admission registers.
    pub(crate) fn under(cx: &Check<'a, Settings>) -> Option<Self> {
        let secret = Registered::under(cx).filter(|secret| secret.secret_type() == "cluster")?;
        Some(Cluster { secret, server: secret.known("server") })
    }

    /// Whether it is the cluster that Argo CD runs in, for which it has a way of its own.
    pub(crate) fn is_local(&self) -> bool {
        self.server.text().is_some_and(|server| server.trim_end_matches('/') == IN_CLUSTER)
    }

    /// The document that says how to sign in; `None` where there is none, or none that can be read.
    pub(crate) fn config(&self) -> Option<Node<'a>> {
        // A template expression may make JSON of what is none yet.
        let text = self.secret.value("config");
        text.peek_str().filter(|text| !text.trim().is_empty() && !text.contains("{{"))?;
        text.open(Format::Json).ok().filter(|config| config.is_present())
    }
}

/// The program that a cluster's configuration runs to sign in, where it is the one that counts.
pub(crate) struct Login<'a> {
    /// `execProviderConfig`.
    pub exec: Node<'a>,
    /// Its variables.
    pub env: Node<'a>,
}

impl<'a> Login<'a> {
    /// The program that the configuration of the cluster under admission runs. `awsAuthConfig` wins over it.
    pub(crate) fn of(config: Node<'a>) -> Option<Self> {
        let exec = config.peek("execProviderConfig");
        (exec.is_present() && config.peek("awsAuthConfig").is_absent()).then(|| Login { exec, env: exec.peek("env") })
    }

    /// The name of the program, without its folder.
    pub(crate) fn program(&self) -> Option<&'a str> {
        known(self.exec.peek("command")).text().map(|command| command.rsplit('/').next().unwrap_or(command))
    }

    /// Whether it is Argo CD's own.
    pub(crate) fn is_own(&self) -> bool {
        self.program() == Some(PROGRAM)
    }

    /// The cloud that Argo CD's own program signs in to.
    pub(crate) fn cloud(&self) -> Node<'a> {
        self.exec.peek("args").peek_items().next().unwrap_or_else(|| self.exec.peek("args"))
    }

    /// Whether Argo CD's own program signs in to Azure.
    pub(crate) fn is_azure(&self) -> bool {
        self.is_own() && self.cloud().peek_str() == Some("azure")
    }
}
