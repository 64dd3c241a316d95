//! URLs, as Go's `net/url` reads a request's: absolute, or an absolute path.

use std::collections::BTreeMap;
use std::collections::HashMap;

use cel::common::types::{CelBool, CelMap, CelMapKey, CelString};
use cel::common::value::Val;
use cel::{DeclarationError, Env, ExecutionError};

use super::Library;
use super::lists::strings;
use super::opaque::opaque;
use crate::errors::failed;

pub(super) const LIBRARY: Library = Library {
    global: &[("url", &[1]), ("isURL", &[1])],
    member: &[
        ("getScheme", &[0]),
        ("getHost", &[0]),
        ("getHostname", &[0]),
        ("getPort", &[0]),
        ("getEscapedPath", &[0]),
        ("getQuery", &[0]),
    ],
    register,
};

#[derive(Debug, Clone, PartialEq)]
struct Url {
    scheme: String,
    user: String,
    host: String,
    path: String,
    query: String,
    fragment: String,
}
opaque!(Url, "kubernetes.URL");

fn register(env: &mut Env) -> Result<(), DeclarationError> {
    env.add_type(Url::cel_type().to_owned())?;
    cel::add_overload!(env, fn url: (CelString) -> Result<Url>)?;
    cel::add_overload!(env, fn is_url: (CelString) -> CelBool, name = "isURL")?;
    cel::add_member_overload!(env, fn get_scheme: (Url) -> CelString)?;
    cel::add_member_overload!(env, fn get_host: (Url) -> CelString)?;
    cel::add_member_overload!(env, fn get_hostname: (Url) -> CelString)?;
    cel::add_member_overload!(env, fn get_port: (Url) -> CelString)?;
    cel::add_member_overload!(env, fn get_escaped_path: (Url) -> CelString)?;
    cel::add_member_overload!(env, fn get_query: (Url) -> CelMap)
}

/// Whether Go's `url.ParseRequestURI` takes a text. Unlike [`parse`] it knows no fragment.
pub(super) fn is_request_uri(text: &str) -> bool {
    read(text, "", true).is_some()
}

fn parse(text: &str) -> Option<Url> {
    let _checked = read(text, "", true)?;
    let (text, fragment) = text.split_once('#').unwrap_or((text, ""));
    unescape(fragment, false)?;
    read(text, fragment, false)
}

fn read(text: &str, fragment: &str, request: bool) -> Option<Url> {
    if text.bytes().any(|byte| byte < b' ' || byte == 0x7f) || (text.is_empty() && request) {
        return None;
    }
    let mut url = Url {
        scheme: String::new(),
        user: String::new(),
        host: String::new(),
        path: String::new(),
        query: String::new(),
        fragment: fragment.to_owned(),
    };
    if text == "*" {
        text.clone_into(&mut url.path);
        return Some(url);
    }
    let (scheme, rest) = scheme(text)?;
    url.scheme = scheme.to_ascii_lowercase();
    let (mut rest, query) = rest.split_once('?').unwrap_or((rest, ""));
    query.clone_into(&mut url.query);
    if !rest.starts_with('/') {
        if !url.scheme.is_empty() {
            // `mailto:somebody`: nothing but the scheme can be asked for.
            return Some(url);
        }
        if request || rest.split('/').next().is_some_and(|first| first.contains(':')) {
            return None;
        }
    }
    if (!url.scheme.is_empty() || (!request && !rest.starts_with("///")))
        && let Some(after) = rest.strip_prefix("//")
    {
        let (authority, path) = after.split_at_checked(after.find('/').unwrap_or(after.len()))?;
        let (user, host) = match authority.rsplit_once('@') {
            Some((user, host)) => (user, host),
            None => ("", authority),
        };
        if !user.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._:~!$&'()*+,;=%@".contains(&byte)) {
            return None;
        }
        unescape(user, false)?;
        user.clone_into(&mut url.user);
        url.host = host_of(host)?;
        rest = path;
    }
    unescape(rest, false)?;
    rest.clone_into(&mut url.path);
    Some(url)
}

/// The scheme and the rest; a text without a scheme is all rest.
fn scheme(text: &str) -> Option<(&str, &str)> {
    for (index, byte) in text.bytes().enumerate() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' => {}
            b'0'..=b'9' | b'+' | b'-' | b'.' if index > 0 => {}
            b'0'..=b'9' | b'+' | b'-' | b'.' => return Some(("", text)),
            b':' if index == 0 => return None,
            b':' => return Some((text.get(..index)?, text.get(index + 1..)?)),
            _ => return Some(("", text)),
        }
    }
    Some(("", text))
}

/// A host with its port, unescaped.
fn host_of(host: &str) -> Option<String> {
    let port = match host.strip_prefix('[') {
        Some(inside) => {
            let end = inside.rfind(']')?;
            inside.get(end + 1..)?
        }
        None => host.rfind(':').and_then(|colon| host.get(colon..)).unwrap_or(""),
    };
    let digits = port.strip_prefix(':').unwrap_or(port);
    if !(port.is_empty() || port.starts_with(':')) || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let allowed = |byte: u8| !byte.is_ascii() || byte.is_ascii_alphanumeric() || b"-_.~!$&'()*+,;=:[]<>\"%".contains(&byte);
    if !host.bytes().all(allowed) {
        return None;
    }
    unescape_host(host)
}

/// Go takes `%XX` in a host for bytes beyond ASCII, and `%25` before the zone of an address in brackets.
fn unescape_host(host: &str) -> Option<String> {
    let mut bytes = Vec::new();
    let mut rest = host;
    while let Some(at) = rest.find('%') {
        bytes.extend_from_slice(rest.get(..at)?.as_bytes());
        let byte = u8::from_str_radix(rest.get(at + 1..at + 3)?, 16).ok()?;
        if byte < 0x80 && byte != b'%' {
            return None;
        }
        bytes.push(byte);
        rest = rest.get(at + 3..)?;
    }
    bytes.extend_from_slice(rest.as_bytes());
    String::from_utf8(bytes).ok()
}

/// `%XX` (and `+`, in a query) as bytes.
fn unescape(text: &str, plus: bool) -> Option<Vec<u8>> {
    let mut bytes = text.bytes();
    let mut out = Vec::with_capacity(text.len());
    while let Some(byte) = bytes.next() {
        out.push(match byte {
            b'%' => {
                let mut digit = || char::from(bytes.next()?).to_digit(16);
                (digit()? * 16 + digit()?) as u8
            }
            b'+' if plus => b' ',
            byte => byte,
        });
    }
    Some(out)
}

/// Whether Go writes a byte of a path as `%XX`.
fn escapes(byte: u8) -> bool {
    !(byte.is_ascii_alphanumeric() || b"-_.~$&+,/:;=@".contains(&byte))
}

fn url(text: &CelString<'_>) -> Result<Url, ExecutionError> {
    parse(text.inner()).ok_or_else(|| failed("url", "neither an absolute URL nor an absolute path"))
}

fn is_url(text: &CelString<'_>) -> CelBool {
    is_request_uri(text.inner()).into()
}

fn get_scheme(url: &Url) -> CelString<'static> {
    url.scheme.clone().into()
}

fn get_host(url: &Url) -> CelString<'static> {
    url.host.clone().into()
}

/// The host's name and its port.
fn split_host(host: &str) -> (&str, &str) {
    let (name, port) = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) && (!host.starts_with('[') || name.ends_with(']')) => {
            (name, port)
        }
        _ => (host, ""),
    };
    (name.strip_prefix('[').and_then(|name| name.strip_suffix(']')).unwrap_or(name), port)
}

fn get_hostname(url: &Url) -> CelString<'static> {
    split_host(&url.host).0.to_owned().into()
}

fn get_port(url: &Url) -> CelString<'static> {
    split_host(&url.host).1.to_owned().into()
}

fn get_escaped_path(url: &Url) -> CelString<'static> {
    // As it was written, if that is a way to write it.
    let written = url.path.bytes().all(|byte| b"!'()*[]%".contains(&byte) || !escapes(byte));
    if written || url.path == "*" {
        return url.path.clone().into();
    }
    let bytes = unescape(&url.path, false).unwrap_or_default();
    let mut path = String::new();
    for byte in bytes {
        if escapes(byte) { path.push_str(&format!("%{byte:02X}")) } else { path.push(char::from(byte)) }
    }
    path.into()
}

fn get_query(url: &Url) -> CelMap<'static> {
    let mut found: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let text = |part: &str| unescape(part, true).map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
    // What Go cannot read it leaves out.
    for part in url.query.split('&').filter(|part| !part.is_empty() && !part.contains(';')) {
        let (key, value) = part.split_once('=').unwrap_or((part, ""));
        if let (Some(key), Some(value)) = (text(key), text(value)) {
            found.entry(key).or_default().push(value);
        }
    }
    let mut map: HashMap<CelMapKey<'static>, Box<dyn Val>> = HashMap::new();
    for (key, values) in found {
        map.insert(CelMapKey::from(key), Box::new(strings(values.iter().map(String::as_str))));
    }
    CelMap::from(map)
}
