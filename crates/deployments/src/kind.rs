//! What values may be. Each kind allows so few letters that its values mean the same wherever a sample stands: as a plain scalar of YAML,
//! in a JSON string, in a comment, and, for names, in the name of a file.

use fedward_manifest::{Limits, decode_base64, first_yaml};
use regex_lite::Regex;
use serde::Deserialize;

/// The kind of a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// The name of a namespace, a cluster, an application.
    Name,
    /// A domain, or the name of a host.
    DnsName,
    /// An e-mail address.
    Email,
    /// A container image.
    Image,
    /// Where copies of public images are.
    ImageRegistry,
    /// A Git repository behind HTTPS.
    Repository,
    /// A repository of Azure DevOps.
    DevopsRepository,
    /// An account of GitHub.
    GithubName,
    /// A repository of such an account, by its name alone.
    GithubRepository,
    /// A folder of a repository.
    Folder,
    /// The API server of a cluster.
    Server,
    /// Certificates of an authority: PEM in base64, as kubeconfig files have them.
    Certificates,
    /// An id of Microsoft Entra, or of an Azure subscription.
    Guid,
    /// The OIDC issuer of an AKS cluster.
    AksIssuer,
    /// A region of Azure.
    AzureRegion,
    /// The name of an Azure resource.
    AzureName,
    /// The name of a resource group, by which its object in the cluster is called as well.
    AzureGroup,
    /// The name of an Azure container registry.
    AzureRegistry,
    /// The OIDC issuer of an EKS cluster, as AWS names it: without `https://`.
    EksIssuer,
    /// The number of an AWS account.
    AwsAccount,
    /// A region of AWS.
    AwsRegion,
    /// A bucket of S3 or of Cloud Storage.
    Bucket,
    /// The id of a hosted zone of Route 53.
    HostedZone,
    /// The id of a Google Cloud project.
    GcpProject,
    /// The number of a Google Cloud project.
    GcpProjectNumber,
    /// A region or zone of Google Cloud.
    GcpLocation,
}

/// A GUID.
const GUID: &str = "[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}";
/// A name of DNS, with one label or several.
const HOST: &str = "[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?(?:\\.[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?)*";
/// A part of such a name after another, however long.
const LABEL: &str = "[a-z0-9](?:[a-z0-9-]*[a-z0-9])?";
/// The host of an EKS cluster's issuer begins so.
const EKS: &str = "oidc.eks.";
/// Longer values are no example to anybody.
const LONG: usize = 120;

impl Kind {
    /// What is required of a value.
    pub fn required(self) -> &'static str {
        match self {
            Kind::Name => "a name: lower-case letters, digits and `-`, from a letter to a letter or digit, at most 40 of them",
            Kind::DnsName => "a DNS name of two labels or more, in lower case",
            Kind::Email => "an e-mail address",
            Kind::Image => "an image with its host, and with a tag or a digest",
            Kind::ImageRegistry => "a registry of images, with or without a path, and without `https://`",
            Kind::Repository => "an HTTPS URL without user, password and parameters",
            Kind::DevopsRepository => "an HTTPS URL of Azure DevOps, `https://dev.azure.com/<organisation>/<project>/_git/<name>`",
            Kind::GithubName => "an account of GitHub: letters, digits and `-`, with a letter or digit first, at most 39 of them",
            Kind::GithubRepository => {
                "a repository's name: letters, digits, `-` and `_`, at most 100 of them; without `.`, which is any letter in a sensor's patterns"
            }
            Kind::Folder => "a path within the repository: names split by `/`",
            Kind::Server => "an HTTPS URL of a host, with or without a port, and without a path",
            Kind::Certificates => "certificates as kubeconfig files have them: PEM in base64, at most 64 KiB",
            Kind::Guid => "a GUID",
            Kind::AksIssuer => "the issuer of an AKS cluster of the public cloud, with the slash at its end",
            Kind::AzureRegion => "a region of Azure by its short name, in lower case and without spaces",
            Kind::AzureName => "the name of an Azure resource: letters, digits, `-` and `_`, with a letter first, 3 to 63 of them",
            Kind::AzureGroup => {
                "a resource group whose name its object in the cluster can have: lower-case letters, digits, `-` and `.`, with a letter first, at most 63 of them (another is written in by hand, as `azureName`)"
            }
            Kind::AzureRegistry => "the name of a registry: lower-case letters and digits, with a letter first, 5 to 50 of them",
            Kind::EksIssuer => "the issuer of an EKS cluster: `oidc.eks.<region>.amazonaws.com/id/` and 32 hexadecimal digits",
            Kind::AwsAccount => "the twelve digits of an AWS account",
            Kind::AwsRegion => "a region of AWS whose ARNs begin with `arn:aws:` (not China, GovCloud and other partitions)",
            Kind::Bucket => "the name of a bucket: lower-case letters, digits, `-` and `.`, with a letter first, 3 to 63 of them",
            Kind::HostedZone => "the id of a hosted zone: `Z` and more capital letters and digits",
            Kind::GcpProject => {
                "the id of a project: lower-case letters, digits and `-`, with a letter first, 6 to 30 of them; without a domain before it, which addresses of service accounts have elsewhere"
            }
            Kind::GcpProjectNumber => "the number of a project: digits alone",
            Kind::GcpLocation => "a region or zone of Google Cloud",
        }
    }

    fn pattern(self) -> String {
        match self {
            Kind::Name => "[a-z](?:[a-z0-9-]{0,38}[a-z0-9])?".to_owned(),
            Kind::DnsName => format!("{HOST}\\.[a-z][a-z0-9-]*[a-z0-9]"),
            Kind::Email => format!("[A-Za-z0-9][A-Za-z0-9._%+-]{{0,63}}@{HOST}"),
            Kind::Image => {
                format!(
                    "{HOST}(?::[0-9]{{1,5}})?(?:/[a-z0-9](?:[a-z0-9._-]*[a-z0-9])?)+(?::[A-Za-z0-9_][A-Za-z0-9_.-]{{0,127}}|@sha256:[0-9a-f]{{64}})"
                )
            }
            Kind::ImageRegistry => format!("{HOST}(?::[0-9]{{1,5}})?(?:/[a-z0-9](?:[a-z0-9._-]*[a-z0-9])?)*"),
            Kind::Repository => format!("https://{HOST}(?::[0-9]{{1,5}})?(?:/[A-Za-z0-9._~%-]+)+"),
            Kind::DevopsRepository => "https://dev\\.azure\\.com/[A-Za-z0-9-]+/[A-Za-z0-9._%-]+/_git/[A-Za-z0-9._%-]+".to_owned(),
            Kind::GithubName => "[A-Za-z0-9][A-Za-z0-9-]{0,38}".to_owned(),
            Kind::GithubRepository => "[A-Za-z0-9_][A-Za-z0-9_-]{0,99}".to_owned(),
            Kind::Folder => "[A-Za-z_][A-Za-z0-9._-]*(?:/[A-Za-z0-9_][A-Za-z0-9._-]*)*".to_owned(),
            Kind::Server => format!("https://{HOST}(?::[0-9]{{1,5}})?"),
            Kind::Certificates => "[A-Za-z0-9+/]{4,}={0,2}".to_owned(),
            Kind::Guid => GUID.to_owned(),
            Kind::AksIssuer => format!("https://(?:oidc|[a-z0-9]+\\.oic)\\.prod-aks\\.azure\\.com/(?:{GUID}/)?{GUID}/"),
            Kind::AzureRegion => "[a-z]{4,}[0-9]?".to_owned(),
            Kind::AzureName => "[A-Za-z][A-Za-z0-9_-]{1,61}[A-Za-z0-9]".to_owned(),
            Kind::AzureGroup | Kind::Bucket => format!("[a-z](?:[a-z0-9-]*[a-z0-9])?(?:\\.{LABEL})*"),
            Kind::AzureRegistry => "[a-z][a-z0-9]{4,49}".to_owned(),
            Kind::EksIssuer => "oidc\\.eks\\.[a-z]{2}-[a-z]+-[0-9]\\.amazonaws\\.com/id/[0-9A-F]{32}".to_owned(),
            Kind::AwsAccount => "[0-9]{12}".to_owned(),
            Kind::AwsRegion => "(?:af|ap|ca|eu|il|me|mx|sa|us)-[a-z]+-[0-9]".to_owned(),
            Kind::HostedZone => "Z[A-Z0-9]{5,31}".to_owned(),
            Kind::GcpProject => "[a-z][a-z0-9-]{4,28}[a-z0-9]".to_owned(),
            Kind::GcpProjectNumber => "[1-9][0-9]{5,18}".to_owned(),
            Kind::GcpLocation => "[a-z]+-[a-z]+[0-9]{1,2}(?:-[a-z])?".to_owned(),
        }
    }

    /// Reads a value: as it is to stand in the manifests.
    ///
    /// # Errors
    /// What is wrong, as the end of a sentence: mostly what is expected instead.
    pub fn read(self, text: &str) -> Result<String, String> {
        let value = self.plain(text);
        if !self.is_right(&value) {
            // The end of a long text is what nobody looks at.
            if self == Kind::AksIssuer && self.is_right(&format!("{value}/")) {
                return Err("the slash at its end is missing, which is a part of it".to_owned());
            }
            return Err(format!("expected: {}", self.required()));
        }
        // A name such as `null` or `on` would become another value where the sample stands without quotes.
        if !self.is_number() && !reads_as_text(&value) {
            return Err("expected: a name that YAML reads as a text".to_owned());
        }
        Ok(value)
    }

    fn is_right(self, value: &str) -> bool {
        value.len() <= 64 * 1024
            && Regex::new(&format!("^(?:{})$", self.pattern())).is_ok_and(|pattern| pattern.is_match(value))
            && self.fits(value)
    }

    /// The value without what may be written around it, such as the quotes of tools that print JSON.
    fn plain(self, text: &str) -> String {
        let text = unquoted(text.trim()).trim();
        match self {
            Kind::EksIssuer => text.strip_prefix("https://").unwrap_or(text).trim_end_matches('/').to_owned(),
            // Some tools break the lines of base64.
            Kind::Certificates => text.split_ascii_whitespace().collect(),
            _ => text.to_owned(),
        }
    }

    /// What a pattern does not say.
    fn fits(self, value: &str) -> bool {
        match self {
            // The GUID of zeros is what samples are filled with.
            Kind::Guid => value.bytes().any(|byte| byte.is_ascii_hexdigit() && byte != b'0'),
            Kind::EksIssuer => self.part(value, "region").is_some_and(|region| Kind::AwsRegion.read(&region).is_ok()),
            Kind::Certificates => {
                let text = decode_base64(value).and_then(|bytes| String::from_utf8(bytes).ok());
                text.is_some_and(|text| text.contains("-----BEGIN CERTIFICATE-----") && !text.contains("PRIVATE KEY"))
            }
            Kind::DnsName => value.len() <= 253,
            Kind::AzureGroup => value.len() <= 63,
            Kind::Bucket => (3..=63).contains(&value.len()),
            _ => true,
        }
    }

    /// Digits alone: the samples of these kinds stand in quotes, or in a longer text.
    pub fn is_number(self) -> bool {
        matches!(self, Kind::AwsAccount | Kind::GcpProjectNumber)
    }

    /// Whether two parameters of this kind must have different values: one identity, one issuer, one certificate each.
    pub fn is_unique(self) -> bool {
        matches!(self, Kind::Guid | Kind::Server | Kind::Bucket)
    }

    /// A part of a value that other parameters can be taken from: `region` of the issuers of AKS and EKS, `tenant` of those of AKS. `None`
    /// where the value has none.
    pub fn part(self, value: &str, part: &str) -> Option<String> {
        let found = match (self, part) {
            (Kind::EksIssuer, "region") => value.strip_prefix(EKS)?.split('.').next()?,
            (Kind::AksIssuer, "region") => value.strip_prefix("https://")?.split_once(".oic.")?.0,
            (Kind::AksIssuer, "tenant") => {
                let mut path = value.trim_end_matches('/').rsplit('/');
                let (_, tenant) = (path.next()?, path.next()?);
                Kind::Guid.read(tenant).ok().map(|_| tenant)?
            }
            _ => return None,
        };
        Some(found.to_owned())
    }

    /// A sample as an example in messages; `None` for those that are none.
    pub fn example(self, sample: &str) -> Option<&str> {
        (sample.len() <= LONG && self != Kind::Certificates).then_some(sample)
    }
}

/// A text without the pair of quotes around it.
pub(crate) fn unquoted(text: &str) -> &str {
    let inside = |quote| text.strip_prefix(quote).and_then(|text: &str| text.strip_suffix(quote));
    inside('"').or_else(|| inside('\'')).unwrap_or(text)
}

/// Whether YAML reads a plain scalar as the very text that it is.
fn reads_as_text(value: &str) -> bool {
    let document = first_yaml(format!("value: {value}\n"), &Limits::default());
    document.is_some_and(|document| document.root().get("value").is_some_and(|node| node.as_str() == Some(value)))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use base64::Engine as _;
    use base64::prelude::BASE64_STANDARD;

    use super::Kind;

    const GUID: &str = "3f0d9a52-7c1e-4b86-9d43-5a2e8c7b1f60";

    #[test]
    fn values_that_are_right() {
        let aks = format!("https://westeurope.oic.prod-aks.azure.com/{GUID}/{GUID}/");
        let digest = format!("registry.example/a@sha256:{}", "0a".repeat(32));
        let eks = format!("oidc.eks.ap-southeast-2.amazonaws.com/id/{}", "0A".repeat(16));
        let right = [
            (Kind::Name, "a"),
            (Kind::Name, "shop-2"),
            (Kind::DnsName, "a.b-c.example"),
            (Kind::Email, "dns+prod@ops.example"),
            (Kind::Image, "localhost:5000/a/b_c:1.2.3-rc1"),
            (Kind::Image, &digest),
            (Kind::ImageRegistry, "localhost:5000/mirror/of-all"),
            (Kind::Repository, "https://git.example:8443/team/deploy.git"),
            (Kind::DevopsRepository, "https://dev.azure.com/org/A%20project/_git/repo.git"),
            (Kind::GithubName, "Octo-Org"),
            (Kind::GithubName, "1-shop"),
            (Kind::GithubRepository, "2048_Game"),
            (Kind::GithubRepository, "_site"),
            (Kind::Folder, "overlays/production"),
            (Kind::Server, "https://api.cluster.example:443"),
            (Kind::Guid, GUID),
            (Kind::AksIssuer, &aks),
            (Kind::AzureRegion, "westus3"),
            (Kind::AzureName, "vnet_Shop-1"),
            (Kind::AzureGroup, "rg-shop.prod"),
            (Kind::AzureRegistry, "shopregistry1"),
            (Kind::EksIssuer, &eks),
            (Kind::AwsAccount, "012345678901"),
            (Kind::AwsRegion, "us-east-1"),
            (Kind::Bucket, "exports-2"),
            (Kind::Bucket, "exports.shop.example"),
            (Kind::HostedZone, "Z0123456789ABC"),
            (Kind::GcpProject, "shop-prod-1"),
            (Kind::GcpProjectNumber, "123456789012"),
            (Kind::GcpLocation, "europe-west4-a"),
        ];
        for (kind, value) in right {
            for written in [format!(" {value}\n"), format!("\"{value}\"\r\n"), format!("'{value}'")] {
                assert_eq!(kind.read(&written).as_deref(), Ok(value), "{kind:?}");
            }
        }
    }

    #[test]
    fn values_that_are_not() {
        let wrong = [
            (Kind::Name, "1-shop"),
            (Kind::Name, "shop-"),
            (Kind::Name, "a: b"),
            (Kind::Name, &"a".repeat(41)),
            (Kind::DnsName, "localhost"),
            (Kind::DnsName, "10.0.0.1"),
            (Kind::DnsName, "a.example # b"),
            (Kind::Email, "a\"b@c.example"),
            (Kind::Image, "registry.example/a"),
            (Kind::Image, "registry.example/a: b"),
            (Kind::Repository, "https://user:secret@git.example/a"),
            (Kind::Repository, "http://git.example/a"),
            (Kind::Repository, "https://git.example/a?b"),
            (Kind::ImageRegistry, "https://registry.example"),
            (Kind::DevopsRepository, "https://github.com/org/project/_git/repo"),
            (Kind::DevopsRepository, "https://org@dev.azure.com/org/project/_git/repo"),
            (Kind::GithubName, "a.*"),
            (Kind::GithubRepository, "a.b"),
            (Kind::GithubRepository, "-a"),
            (Kind::GithubRepository, "owner/a"),
            (Kind::Folder, "../production"),
            (Kind::Folder, "a//b"),
            (Kind::Server, "https://api.example/path"),
            (Kind::Guid, "00000000-0000-0000-0000-000000000000"),
            (Kind::Guid, "<tenant>"),
            (Kind::AksIssuer, "https://westeurope.oic.prod-aks.azure.com/"),
            (Kind::AzureGroup, "RG_Shop"),
            (Kind::AzureGroup, "rg."),
            (Kind::AzureRegion, "West Europe"),
            (Kind::AzureName, "vnet."),
            (Kind::AzureRegistry, "ShopRegistry"),
            (Kind::EksIssuer, "oidc.eks.us-gov-west-1.amazonaws.com/id/0A0A0A0A0A0A0A0A0A0A0A0A0A0A0A0A"),
            (Kind::EksIssuer, "oidc.eks.xx-west-1.amazonaws.com/id/0A0A0A0A0A0A0A0A0A0A0A0A0A0A0A0A"),
            (Kind::AwsAccount, "1234"),
            (Kind::AwsRegion, "us-gov-west-1"),
            (Kind::AwsRegion, "cn-north-1"),
            (Kind::Bucket, "a..b"),
            (Kind::Bucket, "a.-b"),
            (Kind::Bucket, "ab"),
            (Kind::Bucket, "\"\"exports\"\""),
            (Kind::HostedZone, "/hostedzone/Z0123456789"),
            (Kind::GcpProject, "shop"),
            (Kind::GcpProject, "shop.example:prod-1"),
            (Kind::GcpProjectNumber, "0123456"),
            (Kind::GcpLocation, "westeurope"),
            (Kind::Certificates, "bm90IGEgY2VydGlmaWNhdGU="),
        ];
        for (kind, value) in wrong {
            assert_eq!(kind.read(value), Err(format!("expected: {}", kind.required())), "{value}");
        }
    }

    #[test]
    fn an_issuer_without_its_last_slash() {
        let text = format!("https://westeurope.oic.prod-aks.azure.com/{GUID}/{GUID}");
        assert_eq!(Kind::AksIssuer.read(&text), Err("the slash at its end is missing, which is a part of it".to_owned()));
    }

    #[test]
    fn numbers_of_yaml_are_no_names() {
        for number in ["2048", "1_000", "1e5", "0x1F", "0o17"] {
            assert!(Kind::GithubRepository.read(number).is_err_and(|why| why.contains("YAML")), "{number}");
        }
        assert!(Kind::GithubName.read("1e5").is_err());
    }

    #[test]
    fn words_of_yaml_are_no_names() {
        for word in ["null", "true", "no", "on", "y", "off"] {
            assert_eq!(Kind::Name.read(word), Err("expected: a name that YAML reads as a text".to_owned()));
        }
        assert!(Kind::Name.read("nullable").is_ok());
    }

    #[test]
    fn issuers_have_parts() {
        let eks = Kind::EksIssuer.read("https://oidc.eks.eu-west-1.amazonaws.com/id/0A0A0A0A0A0A0A0A0A0A0A0A0A0A0A0A/").unwrap();
        assert_eq!(Kind::EksIssuer.part(&eks, "region").as_deref(), Some("eu-west-1"));
        let aks = format!("https://uksouth.oic.prod-aks.azure.com/{GUID}/9c014b4d-4185-4663-8594-e43e1e52e9b5/");
        assert_eq!(Kind::AksIssuer.part(&aks, "region").as_deref(), Some("uksouth"));
        assert_eq!(Kind::AksIssuer.part(&aks, "tenant").as_deref(), Some(GUID));
        let old = format!("https://oidc.prod-aks.azure.com/{GUID}/");
        assert_eq!((Kind::AksIssuer.part(&old, "region"), Kind::AksIssuer.part(&old, "tenant")), (None, None));
        assert_eq!(Kind::Guid.part(GUID, "region"), None);
    }

    #[test]
    fn certificates_are_those_alone() {
        let encoded = |text: &str| BASE64_STANDARD.encode(text);
        let good = encoded("-----BEGIN CERTIFICATE-----\nTWFkZSB1cA==\n-----END CERTIFICATE-----\n");
        let (first, rest) = good.split_at(20);
        assert_eq!(Kind::Certificates.read(&format!("{first}\n{rest}")), Ok(good.clone()));
        let key = encoded("-----BEGIN CERTIFICATE-----\n-----BEGIN PRIVATE KEY-----\n");
        assert!(Kind::Certificates.read(&key).is_err());
    }
}
