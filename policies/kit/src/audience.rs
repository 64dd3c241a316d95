//! Token audiences, and the Azure clouds with everything that tells one from another (rules.md §2.6 and §6.C).

use crate::identity::Provider;
use crate::url;

/// The audience of token exchange in the public Azure cloud.
pub const AZURE_PUBLIC: &str = "api://AzureADTokenExchange";
/// The audience of AKS identity bindings, in every cloud.
pub const AZURE_BINDING: &str = "api://AKSIdentityBinding";
/// The audience of AWS STS in its first partition, which the EKS webhook projects by default.
pub const AWS_STS: &str = "sts.amazonaws.com";
/// The audience that the EKS Pod Identity agent asks for.
pub const AWS_POD_IDENTITY: &str = "pods.eks.amazonaws.com";

/// Audiences of Azure, with the cloud they belong to.
pub const AZURE: [(&str, Cloud); 6] = [
    (AZURE_PUBLIC, Cloud::Public),
    ("api://AzureADTokenExchangeUSGov", Cloud::UsGov),
    ("api://AzureADTokenExchangeChina", Cloud::China),
    ("api://AzureADTokenExchangeUSNat", Cloud::UsNat),
    ("api://AzureADTokenExchangeUSSec", Cloud::UsSec),
    (AZURE_BINDING, Cloud::Any),
];

/// Audiences of AWS STS and EKS Pod Identity.
pub const AWS: [&str; 4] = [AWS_STS, "sts.amazonaws.com.cn", "amazonaws.com", AWS_POD_IDENTITY];

/// Audiences of systems that are no cloud, so that nobody is told off for them. A `*` at the end stands for any text.
pub const OTHERS: [&str; 18] = [
    "openshift",
    "sts.aliyuncs.com",
    "istio-ca",
    "identity.l5d.io",
    "dapr.io/sentry",
    "spire-server",
    "sigstore",
    "vault",
    "vault.*",
    "vault://*",
    "conjur",
    "pipelines.kubeflow.org",
    "aio-internal",
    "aio-mq",
    "https://kubernetes.default.svc",
    "https://kubernetes.default.svc.cluster.local",
    "kubernetes",
    "api",
];

/// An Azure cloud.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cloud {
    /// The public cloud.
    Public,
    /// US Government.
    UsGov,
    /// China.
    China,
    /// The US national cloud.
    UsNat,
    /// The US secret cloud.
    UsSec,
    /// Germany's first cloud, closed since 2021.
    Germany,
    /// No particular one.
    Any,
}

/// What tells an Azure cloud from the others.
pub struct Marks {
    /// Which one.
    pub cloud: Cloud,
    /// The name in messages.
    pub name: &'static str,
    /// Hosts that sign in; the first is the one to recommend.
    pub authorities: &'static [&'static str],
    /// Ends of the hosts of AKS and Azure Red Hat OpenShift issuers.
    pub issuers: &'static [&'static str],
    /// Ends of the hosts of AKS API servers.
    pub servers: &'static [&'static str],
    /// Names in `AAD_ENVIRONMENT_NAME` and `AZURE_ENVIRONMENT`, in any letter case; the first is the one to recommend.
    pub environments: &'static [&'static str],
}

/// The clouds. Hosts: the Azure SDKs' and MSAL's lists of authorities; environment names: go-autorest's `EnvironmentFromName`.
pub const CLOUDS: [Marks; 6] = [
    Marks {
        cloud: Cloud::Public,
        name: "the public cloud",
        authorities: &["login.microsoftonline.com", "login.microsoft.com", "login.windows.net", "sts.windows.net"],
        issuers: &[".prod-aks.azure.com", ".oic.aro.azure.com"],
        servers: &[".azmk8s.io"],
        environments: &["AzurePublicCloud", "AzureCloud"],
    },
    Marks {
        cloud: Cloud::UsGov,
        name: "Azure US Government",
        authorities: &["login.microsoftonline.us", "login-us.microsoftonline.com", "login.usgovcloudapi.net"],
        issuers: &[".prod-aks.azure.us", ".oic.aro.azure.us"],
        servers: &[".azmk8s.us", ".cx.aks.containerservice.azure.us"],
        environments: &["AzureUSGovernmentCloud", "AzureUSGovernment"],
    },
    Marks {
        cloud: Cloud::China,
        name: "Azure China",
        authorities: &["login.partner.microsoftonline.cn", "login.chinacloudapi.cn"],
        issuers: &[".prod-aks.azure.cn"],
        servers: &[".azmk8s.cn", ".cx.prod.service.azk8s.cn"],
        environments: &["AzureChinaCloud"],
    },
    Marks {
        cloud: Cloud::UsNat,
        name: "Azure USNat",
        authorities: &["login.microsoftonline.eaglex.ic.gov"],
        issuers: &[],
        servers: &[],
        environments: &["USNat"],
    },
    Marks {
        cloud: Cloud::UsSec,
        name: "Azure USSec",
        authorities: &["login.microsoftonline.microsoft.scloud"],
        issuers: &[],
        servers: &[],
        environments: &["USSec"],
    },
    Marks {
        cloud: Cloud::Germany,
        name: "Azure Germany",
        authorities: &["login.microsoftonline.de"],
        issuers: &[],
        servers: &[],
        environments: &["AzureGermanCloud"],
    },
];

/// Hosts that sign in to clouds which need no row of their own.
const OTHER_AUTHORITIES: [&str; 3] = ["login.sovcloud-identity.fr", "login.sovcloud-identity.de", "login.sovcloud-identity.sg"];

fn authorities() -> impl Iterator<Item = &'static str> {
    CLOUDS.iter().flat_map(|marks| marks.authorities).chain(&OTHER_AUTHORITIES).copied()
}

/// Whether a host, in lower case, signs in to Microsoft Entra.
pub fn is_authority(host: &str) -> bool {
    authorities().any(|known| known == host)
}

/// The host of Microsoft Entra that a host, in lower case, resembles without being one: at most two letters differ, or the known name only
/// begins another domain, which nobody writes by accident.
pub fn authority_slip(host: &str) -> Option<Slip> {
    // No host name is longer, and edit distance costs the product of both lengths.
    if host.len() > 253 || is_authority(host) {
        return None;
    }
    if let Some(meant) = authorities().find(|known| host.strip_prefix(known).is_some_and(|rest| rest.starts_with(['.', '-']))) {
        return Some(Slip { meant, certain: false });
    }
    nearest(host, authorities())
}

/// The name that at most two letters, in lower case, tell from a text.
fn nearest(lower: &str, names: impl Iterator<Item = &'static str>) -> Option<Slip> {
    let (mut best, mut second, mut meant) = (usize::MAX, usize::MAX, "");
    // What differs more in length alone decides nothing.
    for name in names.filter(|name| name.len().abs_diff(lower.len()) <= 3) {
        let distance = strsim::osa_distance(lower, &name.to_ascii_lowercase());
        if distance < best {
            (best, second, meant) = (distance, best, name);
        } else {
            second = second.min(distance);
        }
    }
    (best <= 2).then_some(Slip { meant, certain: second > best.saturating_add(1) })
}

impl Cloud {
    /// What tells it from the others; `None` for [`Cloud::Any`].
    pub fn marks(self) -> Option<&'static Marks> {
        CLOUDS.iter().find(|marks| marks.cloud == self)
    }

    /// The name in messages.
    pub fn name(self) -> &'static str {
        self.marks().map_or("any cloud", |marks| marks.name)
    }

    /// The audience of token exchange; `None` where there is none of its own.
    pub fn audience(self) -> Option<&'static str> {
        AZURE.iter().find(|(_, cloud)| *cloud == self && self != Cloud::Any).map(|(audience, _)| *audience)
    }

    /// The cloud whose token-exchange audience this is.
    pub fn of_audience(audience: &str) -> Option<Cloud> {
        AZURE.iter().find(|(known, cloud)| *known == audience && *cloud != Cloud::Any).map(|(_, cloud)| *cloud)
    }

    /// The cloud that a sign-in host belongs to.
    pub fn of_authority(host: &str) -> Option<Cloud> {
        Self::find(|marks| marks.authorities.iter().any(|known| known.eq_ignore_ascii_case(host)))
    }

    /// The cloud that a sign-in URL belongs to; the scheme may be missing.
    pub fn of_authority_url(text: &str) -> Option<Cloud> {
        let host = url::split(text).map_or_else(|| text.split('/').next().unwrap_or(text), |parts| parts.host);
        Self::of_authority(host)
    }

    /// The cloud whose AKS or Azure Red Hat OpenShift issues tokens under this URL.
    pub fn of_issuer(issuer: &str) -> Option<Cloud> {
        let host = url::split(issuer)?.host;
        Self::find(|marks| marks.issuers.iter().any(|end| ends_with(host, end)))
    }

    /// The cloud whose AKS serves the API under this URL.
    pub fn of_server(server: &str) -> Option<Cloud> {
        let host = url::split(server)?.host;
        Self::find(|marks| marks.servers.iter().any(|end| ends_with(host, end)))
    }

    /// The cloud that `AAD_ENVIRONMENT_NAME` or `AZURE_ENVIRONMENT` names.
    pub fn of_environment(name: &str) -> Option<Cloud> {
        Self::find(|marks| marks.environments.iter().any(|known| known.eq_ignore_ascii_case(name)))
    }

    fn find(is_it: impl Fn(&Marks) -> bool) -> Option<Cloud> {
        CLOUDS.iter().find(|marks| is_it(marks)).map(|marks| marks.cloud)
    }
}

fn ends_with(host: &str, end: &str) -> bool {
    host.len().checked_sub(end.len()).and_then(|at| host.get(at..)).is_some_and(|tail| tail.eq_ignore_ascii_case(end))
}

/// The provider whose audience this is.
pub fn provider(audience: &str) -> Option<Provider> {
    if AZURE.iter().any(|(known, _)| *known == audience) {
        Some(Provider::Azure)
    } else if audience == AWS_POD_IDENTITY {
        Some(Provider::AwsPodIdentity)
    } else if AWS.contains(&audience) {
        Some(Provider::AwsIrsa)
    } else if audience.starts_with("//iam.googleapis.com/")
        || audience.starts_with("https://iam.googleapis.com/")
        || audience.ends_with(".svc.id.goog")
    {
        Some(Provider::Gcp)
    } else {
        None
    }
}

/// Whether a token with this audience signs in to Azure.
pub fn is_azure(audience: &str) -> bool {
    provider(audience) == Some(Provider::Azure)
}

/// Whether the audience is a cloud's, or that of a well-known system.
pub fn is_known(audience: &str) -> bool {
    provider(audience).is_some()
        || OTHERS.iter().any(|known| match known.strip_suffix('*') {
            Some(start) => audience.starts_with(start),
            None => *known == audience,
        })
}

/// A cloud's audience, or a host, that was meant, though something else is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Slip {
    /// What was meant.
    pub meant: &'static str,
    /// Whether nothing else can have been meant: only letter case, spaces or slashes differ, or at most two letters.
    pub certain: bool,
}

/// Whether an audience is a misspelling of a cloud's. Providers compare audiences exactly.
pub fn slip(audience: &str) -> Option<Slip> {
    // No audience is longer than a provider accepts, and edit distance costs the product of both lengths.
    if audience.is_empty() || audience.len() > 100 || is_known(audience) {
        return None;
    }
    let lower = audience.trim().trim_end_matches('/').to_ascii_lowercase();
    let clouds = AZURE.iter().map(|(known, _)| *known).chain([AWS_STS, "sts.amazonaws.com.cn", AWS_POD_IDENTITY]);
    if let Some(slip) = nearest(&lower, clouds) {
        return Some(slip);
    }
    // `AzureADTokenExchange` without its scheme, with a scope behind it, with an unabridged cloud: the longest name that is in there. What
    // else begins like it can have meant nothing else.
    let names = AZURE.iter().filter_map(|(known, _)| Some((*known, known.strip_prefix("api://")?)));
    let longest = names.filter(|(_, name)| lower.contains(&name.to_ascii_lowercase())).max_by_key(|(_, name)| name.len());
    let meant = longest.map(|(meant, _)| meant).or(lower.contains("azureadtoken").then_some(AZURE_PUBLIC))?;
    Some(Slip { meant, certain: false })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use super::{AZURE_PUBLIC, Cloud, Slip, authority_slip, is_known, slip};

    #[test]
    fn recognises_slips_of_cloud_audiences() {
        for (audience, meant, certain) in [
            ("api://azureadtokenexchange", AZURE_PUBLIC, true),
            ("api://AzureADTokenExchange/", AZURE_PUBLIC, true),
            (" api://AzureADTokenExchange", AZURE_PUBLIC, true),
            ("api:/AzureADTokenExchange", AZURE_PUBLIC, true),
            ("api://AzureADTokenExchangeUSgov", "api://AzureADTokenExchangeUSGov", true),
            ("api://AzureADTokenExchangeUSGovernment", "api://AzureADTokenExchangeUSGov", false),
            ("api://AzureADTokenExchange/.default", AZURE_PUBLIC, false),
            ("AzureADTokenExchange", AZURE_PUBLIC, false),
            ("api://AzureADTokenCredential", AZURE_PUBLIC, false),
            ("api://AzureADTokenExchangeUS", AZURE_PUBLIC, false),
            ("sts.amazonaws.com/", "sts.amazonaws.com", true),
            ("sts.amazonaw.com", "sts.amazonaws.com", true),
        ] {
            let found = slip(audience).unwrap();
            assert_eq!((found.meant, found.certain), (meant, certain), "{audience}");
        }
        for audience in ["api://MyApp", "vault.example", "openshift", "sts.aliyuncs.com", "", AZURE_PUBLIC, "https://sts.example"] {
            assert_eq!(slip(audience), None, "{audience}");
        }
    }

    #[test]
    fn knows_systems_by_pattern() {
        assert!(is_known("vault://platform/issuer"));
        assert!(is_known("my-project.svc.id.goog"));
        assert!(!is_known("vaults"));
    }

    #[test]
    fn recognises_hosts_that_resemble_entra() {
        for (host, meant, certain) in [
            ("login.microsoftonlne.com", "login.microsoftonline.com", true),
            ("login.microsoft-online.com", "login.microsoftonline.com", true),
            ("login.microsoftonline.com.evil.example", "login.microsoftonline.com", false),
            ("login.microsoftonline.uk", "login.microsoftonline.us", false),
        ] {
            assert_eq!(authority_slip(host), Some(Slip { meant, certain }), "{host}");
        }
        for host in ["login.microsoftonline.us", "adfs.stack.example", "login.sovcloud-identity.fr", ""] {
            assert_eq!(authority_slip(host), None, "{host}");
        }
    }

    #[test]
    fn tells_clouds_apart() {
        assert_eq!(Cloud::of_issuer("https://usgovvirginia.oic.prod-aks.azure.us/a/b/"), Some(Cloud::UsGov));
        assert_eq!(Cloud::of_issuer("https://oidc.prod-aks.azure.com/a/"), Some(Cloud::Public));
        assert_eq!(Cloud::of_server("https://apps-1.hcp.chinanorth3.cx.prod.service.azk8s.cn:443"), Some(Cloud::China));
        assert_eq!(Cloud::of_environment("AZUREUSGOVERNMENT"), Some(Cloud::UsGov));
        assert_eq!(Cloud::of_authority("Login.MicrosoftOnline.US"), Some(Cloud::UsGov));
        assert_eq!(Cloud::UsGov.audience(), Some("api://AzureADTokenExchangeUSGov"));
        assert_eq!(Cloud::Germany.audience(), None);
    }
}
