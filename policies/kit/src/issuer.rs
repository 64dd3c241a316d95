//! Issuers of tokens: who stands behind an issuer URL (rules.md §2.6 and §6.C).

use crate::url;

/// Whose tokens an issuer signs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// An AKS cluster.
    Aks,
    /// An Azure Red Hat OpenShift cluster.
    Aro,
    /// An EKS cluster.
    Eks,
    /// A GKE cluster or fleet.
    Gke,
    /// A cluster of another known maker (Arc, managed OpenShift), or the API server's default issuer.
    Cluster,
    /// GitHub Actions.
    GitHub,
    /// GitLab CI on gitlab.com.
    GitLab,
    /// Microsoft Entra.
    Entra,
    /// Azure DevOps service connections.
    AzureDevOps,
    /// HCP Terraform.
    Terraform,
    /// Anything else: often a self-managed cluster.
    Other,
}

impl Kind {
    /// Whether it is certainly a Kubernetes cluster.
    pub fn is_cluster(self) -> bool {
        matches!(self, Kind::Aks | Kind::Aro | Kind::Eks | Kind::Gke | Kind::Cluster)
    }

    /// The name in messages.
    pub fn name(self) -> &'static str {
        match self {
            Kind::Aks => "an AKS cluster",
            Kind::Aro => "an Azure Red Hat OpenShift cluster",
            Kind::Eks => "an EKS cluster",
            Kind::Gke => "a GKE cluster",
            Kind::Cluster => "a Kubernetes cluster",
            Kind::GitHub => "GitHub Actions",
            Kind::GitLab => "GitLab CI",
            Kind::Entra => "Microsoft Entra",
            Kind::AzureDevOps => "Azure DevOps",
            Kind::Terraform => "HCP Terraform",
            Kind::Other => "an unknown issuer",
        }
    }
}

/// Who stands behind an issuer, with or without `https://` (AWS leaves it out), in any letter case.
pub fn kind(issuer: &str) -> Kind {
    let lower = issuer.trim().to_ascii_lowercase();
    let bare = bare(&lower);
    let (host, path) = bare.split_once('/').unwrap_or((bare, ""));
    let host = host.split(':').next().unwrap_or(host);
    match host {
        "token.actions.githubusercontent.com" => Kind::GitHub,
        "gitlab.com" => Kind::GitLab,
        "vstoken.dev.azure.com" => Kind::AzureDevOps,
        "app.terraform.io" => Kind::Terraform,
        "login.microsoftonline.com"
        | "login.microsoftonline.us"
        | "login.partner.microsoftonline.cn"
        | "login.chinacloudapi.cn"
        | "sts.windows.net" => Kind::Entra,
        "container.googleapis.com" | "gkehub.googleapis.com" => Kind::Gke,
        "kubernetes.default" | "kubernetes.default.svc" | "kubernetes.default.svc.cluster.local" => Kind::Cluster,
        _ if host.contains("prod-aks.azure.") => Kind::Aks,
        _ if host.contains(".oic.aro.azure.") => Kind::Aro,
        _ if host.contains("prod-arc.azure.") || host.ends_with(".openshiftapps.com") || host.starts_with("rh-oidc") => Kind::Cluster,
        _ if is_eks(host) => Kind::Eks,
        // GitHub Enterprise: data residency, and servers of one's own.
        _ if (host.starts_with("token.actions.") && host.ends_with(".ghe.com")) || path.starts_with("_services/token") => Kind::GitHub,
        _ => Kind::Other,
    }
}

/// `oidc.eks.<region>.amazonaws.com[.cn]`, or dual-stack `oidc-eks.<region>.api.…`.
fn is_eks(host: &str) -> bool {
    (host.starts_with("oidc.eks.") && (host.ends_with(".amazonaws.com") || host.ends_with(".amazonaws.com.cn")))
        || (host.starts_with("oidc-eks.") && host.contains(".api."))
}

/// The issuer as AWS writes it in ARNs and condition keys: without scheme, and without a slash at the end.
pub fn bare(issuer: &str) -> &str {
    let rest = issuer.split_once("://").map_or(issuer, |(_, rest)| rest);
    rest.strip_suffix('/').unwrap_or(rest)
}

/// The AWS region in an EKS issuer.
pub fn eks_region(issuer: &str) -> Option<&str> {
    let host = bare(issuer).split('/').next()?;
    let rest = host.strip_prefix("oidc.eks.").or_else(|| host.strip_prefix("oidc-eks."))?;
    rest.split('.').next().filter(|region| !region.is_empty())
}

/// Why no cloud can reach the issuer's keys over the internet; `None` where nothing speaks against it.
pub fn unreachable(issuer: &str) -> Option<&'static str> {
    let host = url::split(issuer)?.host.to_ascii_lowercase();
    let host = host.trim_end_matches('.');
    if let Some(address) = host.strip_prefix('[').and_then(|text| text.strip_suffix(']')) {
        let private = address == "::1" || ["fc", "fd", "fe8", "fe9", "fea", "feb"].iter().any(|start| address.starts_with(start));
        return private.then_some("is a private address");
    }
    if let Ok(address) = host.parse::<std::net::Ipv4Addr>() {
        let private = address.is_private() || address.is_loopback() || address.is_link_local() || address.is_unspecified();
        return private.then_some("is a private address");
    }
    let in_cluster = host == "kubernetes.default" || host.ends_with(".svc") || host.ends_with(".cluster.local");
    let local = [".local", ".localhost", ".internal", ".lan", ".home.arpa"].iter().any(|end| host.ends_with(end));
    if in_cluster {
        Some("exists only inside the cluster")
    } else if local || !host.contains('.') {
        Some("is a local name")
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::{Kind, eks_region, kind, unreachable};

    #[test]
    fn knows_who_issues() {
        for (issuer, want) in [
            ("https://westeurope.oic.prod-aks.azure.com/a/b/", Kind::Aks),
            ("https://chinanorth2.oic.prod-aks.azure.cn/a/b/", Kind::Aks),
            ("https://westeurope.oic.aro.azure.com/a/b", Kind::Aro),
            ("oidc.eks.eu-west-1.amazonaws.com/id/0123", Kind::Eks),
            ("https://oidc-eks.eu-west-1.api.aws/id/0123", Kind::Eks),
            ("https://container.googleapis.com/v1/projects/p/locations/l/clusters/c", Kind::Gke),
            ("https://token.actions.githubusercontent.com", Kind::GitHub),
            ("https://token.actions.acme.ghe.com", Kind::GitHub),
            ("https://github.acme.example/_services/token", Kind::GitHub),
            ("https://gitlab.com", Kind::GitLab),
            ("https://login.microsoftonline.com/x/v2.0", Kind::Entra),
            ("https://oidc.acme.example/prod", Kind::Other),
        ] {
            assert_eq!(kind(issuer), want, "{issuer}");
        }
    }

    #[test]
    fn knows_what_nobody_outside_reaches() {
        for issuer in [
            "https://kubernetes.default.svc",
            "https://10.0.0.1:6443",
            "https://localhost/x",
            "https://[fd00::1]/",
            "https://k8s.acme.local",
        ] {
            assert!(unreachable(issuer).is_some(), "{issuer}");
        }
        for issuer in ["https://oidc.acme.example", "https://8.8.8.8/x", "https://[2001:db8::1]/", "not a url"] {
            assert!(unreachable(issuer).is_none(), "{issuer}");
        }
    }

    #[test]
    fn reads_regions() {
        assert_eq!(eks_region("https://oidc.eks.cn-north-1.amazonaws.com.cn/id/0"), Some("cn-north-1"));
        assert_eq!(eks_region("https://oidc.acme.example"), None);
    }
}
