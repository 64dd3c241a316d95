//! Logins to container registries, as Docker's configuration has them.

use fedward_kit::node::{Format, Node};
use fedward_kit::{secret, url};

use crate::cloud::Cloud;
use crate::stored;

/// The cloud whose registry a host is. Ports and letter case aside.
pub(crate) fn cloud_of(host: &str) -> Option<Cloud> {
    let host = host.split(':').next().unwrap_or("").to_ascii_lowercase();
    let ends = |ends: &[&str]| ends.iter().any(|end| host.ends_with(end));
    if ends(&[".azurecr.io", ".azurecr.us", ".azurecr.cn"]) {
        Some(Cloud::Azure)
    } else if (host.contains(".dkr.ecr.") || host.contains(".dkr.ecr-fips.")) && host.contains(".amazonaws.com") {
        Some(Cloud::Aws)
    } else if host == "gcr.io" || ends(&[".gcr.io", ".pkg.dev"]) {
        Some(Cloud::Google)
    } else {
        None
    }
}

/// The host of an image's registry; empty for an image of Docker Hub.
pub(crate) fn host_of_image(image: &str) -> &str {
    image.split_once('/').map_or("", |(first, _)| if first.contains(['.', ':']) { first } else { "" })
}

/// A login to a cloud's registry.
pub(crate) struct Login<'a> {
    pub(crate) cloud: Cloud,
    /// The key of the entry: a host, or a URL.
    pub(crate) registry: &'a str,
    /// The entry.
    pub(crate) node: Node<'a>,
    /// Whether the password is a token that lasts some hours: the users that the clouds have for it say so.
    pub(crate) is_short_lived: bool,
}

/// Users whose password is a token of the cloud: Azure's refresh tokens, Google's access tokens, every password of AWS' registry.
const TOKEN_USERS: [&str; 3] = ["00000000-0000-0000-0000-000000000000", "oauth2accesstoken", "AWS"];

/// The logins to clouds' registries in a Secret, by one of Docker's two forms.
pub(crate) fn logins<'a>(secret: Node<'a>, key: &'a str) -> Vec<Login<'a>> {
    let value = secret::value(secret, key);
    if value.peek_str().is_none() {
        return Vec::new();
    }
    let Ok(root) = value.open(Format::Json) else { return Vec::new() };
    let entries = if key == ".dockercfg" { root } else { root.peek("auths") };
    entries.peek_entries().filter_map(|(registry, node)| login(registry, node)).collect()
}

fn login<'a>(registry: &'a str, node: Node<'a>) -> Option<Login<'a>> {
    let host = url::split(registry).map_or(registry, |parts| parts.host);
    let cloud = cloud_of(host.split('/').next().unwrap_or(""))?;
    ["auth", "password", "identitytoken"].iter().any(|field| stored::is_plain(node.peek(field))).then_some(())?;
    let user = node.peek_text("username").or_else(|| Some(node.decoded("auth").peek_str()?.split_once(':')?.0));
    let is_short_lived = cloud == Cloud::Aws || user.is_some_and(|user| TOKEN_USERS.contains(&user));
    Some(Login { cloud, registry, node, is_short_lived })
}

/// The two forms of Docker's configuration in a Secret.
pub(crate) const KEYS: [&str; 2] = [".dockerconfigjson", ".dockercfg"];
