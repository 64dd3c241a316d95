//! URLs of repositories: when two of them are the same.

/// Argo CD's form of a repository's URL, in which it compares them: small letters, without `.git` and `ssh://`, and as Go writes URLs.
/// The HTTPS and SSH forms of one repository stay different. Empty for what is no URL.
#[must_use]
pub fn normalise(url: &str) -> String {
    let mut url = url.trim().to_lowercase();
    if is_ssh(&url) && !url.starts_with("ssh://") {
        // The colon of `git@host:path` is no port.
        url = format!("ssh://{}", url.replacen(':', "/", 1));
    }
    let url = url.strip_suffix(".git").unwrap_or(&url);
    let written = go_form(url).unwrap_or_default();
    written.strip_prefix("ssh://").map_or(written.clone(), str::to_owned)
}

/// What is left of a URL when only the host and the path count: for telling whether a checkout is of a repository, for which HTTPS and
/// SSH, users and ports make no difference.
pub(crate) fn identity(url: &str) -> String {
    let normal = normalise(url);
    let rest = normal.split_once("://").map_or(normal.as_str(), |(_, rest)| rest);
    let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
    let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    let is_port = |port: &str| !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit());
    let host = host.rsplit_once(':').filter(|(_, port)| is_port(port)).map_or(host, |(host, _)| host);
    let path = path.trim_end_matches('/');
    format!("{host}/{}", path.strip_suffix(".git").unwrap_or(path))
}

/// A URL for messages: without a user and a password.
pub(crate) fn shown(url: &str) -> String {
    match url.split_once("://") {
        Some((scheme, rest)) => {
            let (authority, path) = rest.find('/').map_or((rest, ""), |slash| rest.split_at(slash));
            let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
            format!("{scheme}://{host}{path}")
        }
        None => url.to_owned(),
    }
}

/// `ssh://user@host…` or `user@host…`, with one `@`.
fn is_ssh(url: &str) -> bool {
    let rest = url.strip_prefix("ssh://").unwrap_or(url);
    rest.split_once('@').is_some_and(|(user, host)| !user.contains(['/', ':']) && !host.is_empty() && !host.contains('@'))
}

/// What Go's `net/url` writes of what it has read; `None` if it does not read it.
fn go_form(url: &str) -> Option<String> {
    if url.bytes().any(|byte| byte < 0x20 || byte == 0x7f) {
        return None;
    }
    let (before, fragment) = url.split_once('#').map_or((url, None), |(before, fragment)| (before, Some(fragment)));
    let (before, query) = before.split_once('?').map_or((before, None), |(before, query)| (before, Some(query)));
    let scheme_end = before.find(|character: char| !character.is_ascii_alphanumeric() && !"+-.".contains(character));
    let (scheme, rest) = match scheme_end {
        Some(0) if before.starts_with(':') => return None,
        Some(end) if before.get(end..)?.starts_with(':') && before.starts_with(|first: char| first.is_ascii_alphabetic()) => {
            (before.get(..=end)?, before.get(end + 1..)?)
        }
        _ => ("", before),
    };
    if scheme.is_empty() && rest.split('/').next().is_some_and(|first| first.contains(':')) {
        return None;
    }
    let mut out = scheme.to_owned();
    let path = match rest.strip_prefix("//") {
        Some(rest) => {
            let (authority, path) = rest.find('/').map_or((rest, ""), |slash| rest.split_at(slash));
            let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
            let is_host = |byte: u8| byte >= 0x80 || byte.is_ascii_alphanumeric() || b"-_.~!$&'()*+,;=:[]<>\"%".contains(&byte);
            if !host.bytes().all(is_host) {
                return None;
            }
            out.push_str("//");
            out.push_str(authority);
            path
        }
        // An opaque URL, `scheme:something`, is kept as it is.
        None if !scheme.is_empty() && !rest.starts_with('/') => {
            out.push_str(rest);
            ""
        }
        None => rest,
    };
    out.push_str(&go_path(path));
    if let Some(query) = query {
        out.push('?');
        out.push_str(query);
    }
    if let Some(fragment) = fragment.filter(|fragment| !fragment.is_empty()) {
        out.push('#');
        out.push_str(fragment);
    }
    Some(out)
}

/// A path as Go writes it: as it was if every character of it may stand there, and with all but the plainest escaped otherwise. So a
/// pattern with `{` in it matches nothing.
fn go_path(path: &str) -> String {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.~$&+,/:;=@".contains(&byte);
    if path.bytes().all(|byte| is_plain(byte) || b"!'()*[]%".contains(&byte)) {
        return path.to_owned();
    }
    let mut out = String::new();
    for byte in path.bytes() {
        if is_plain(byte) {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Recorded from Argo CD's `git.NormalizeGitURL`.
    #[test]
    fn urls_are_normalised_as_argo_cd_does() {
        for (url, expected) in [
            ("https://Git.Example/Team/Repo.git", "https://git.example/team/repo"),
            (" https://git.example/team/repo ", "https://git.example/team/repo"),
            ("https://git.example/team/repo/", "https://git.example/team/repo/"),
            ("git@git.example:team/repo.git", "git@git.example/team/repo"),
            ("ssh://git@git.example/team/repo.git", "git@git.example/team/repo"),
            ("ssh://git@git.example:22/team/repo", "git@git.example:22/team/repo"),
            ("https://user@git.example/team/repo", "https://user@git.example/team/repo"),
            ("*", "*"),
            ("https://git.example/**", "https://git.example/**"),
            ("https://git.example/{a,b}/*", "https://git.example/%7Ba,b%7D/%2A"),
            ("https://*.example/[a-z]*", "https://*.example/[a-z]*"),
            ("https://{a,b}.example/c", ""),
            ("https://git.example/a b", "https://git.example/a%20b"),
            ("https://git.example/a?b", "https://git.example/a?b"),
            ("registry.example/charts", "registry.example/charts"),
            ("oci://registry.example/charts", "oci://registry.example/charts"),
            ("git@git.example:*", "git@git.example/*"),
            ("", ""),
        ] {
            assert_eq!(normalise(url), expected, "{url}");
        }
    }

    #[test]
    fn a_checkout_is_of_a_repository_whatever_the_transport() {
        for url in [
            "https://git.example/team/repo",
            "https://git.example/team/repo.git/",
            "git@git.example:Team/repo.git",
            "ssh://git@git.example:2222/team/repo.git",
            "https://me:secret@git.example/team/repo",
        ] {
            assert_eq!(identity(url), "git.example/team/repo", "{url}");
        }
        assert_ne!(identity("https://git.example/team/repo2"), "git.example/team/repo");
    }

    #[test]
    fn no_credentials_in_messages() {
        assert_eq!(shown("https://me:secret@git.example/team/repo"), "https://git.example/team/repo");
        assert_eq!(shown("git@git.example:team/repo"), "git@git.example:team/repo");
    }
}
