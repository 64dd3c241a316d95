//! Named formats of strings. What is wrong with a string is said in our own words; whether it is, is Kubernetes'.

use cel::common::types::{CelOptional, CelString, STRING_TYPE};
use cel::common::value::{CowVal, Val};
use cel::{DeclarationError, Env, ExecutionError};

use super::Library;
use super::lists::strings;
use super::opaque::opaque;
use super::{time, url};
use crate::errors::failed;

pub(super) const LIBRARY: Library = Library {
    global: &[
        ("format.named", &[1]),
        ("format.dns1123Label", &[0]),
        ("format.dns1123Subdomain", &[0]),
        ("format.dns1035Label", &[0]),
        ("format.qualifiedName", &[0]),
        ("format.dns1123LabelPrefix", &[0]),
        ("format.dns1123SubdomainPrefix", &[0]),
        ("format.dns1035LabelPrefix", &[0]),
        ("format.labelValue", &[0]),
        ("format.uri", &[0]),
        ("format.uuid", &[0]),
        ("format.byte", &[0]),
        ("format.date", &[0]),
        ("format.datetime", &[0]),
    ],
    member: &[("validate", &[1])],
    register,
};

/// A format: its check, and what a string must be.
#[derive(Debug, Clone, Copy)]
struct Format {
    name: &'static str,
    holds: fn(&str) -> bool,
    must: &'static str,
}
opaque!(Format, "kubernetes.NamedFormat");

impl PartialEq for Format {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

const FORMATS: [Format; 13] = [
    Format { name: "dns1123Label", holds: dns1123_label, must: "must be lower-case letters, digits and `-`, at most 63 characters" },
    Format {
        name: "dns1123Subdomain",
        holds: dns1123_subdomain,
        must: "must be lower-case labels with dots between, at most 253 characters",
    },
    Format { name: "dns1035Label", holds: dns1035_label, must: "must begin with a letter, then lower-case letters, digits and `-`" },
    Format { name: "qualifiedName", holds: qualified_name, must: "must be a name, with a DNS subdomain and `/` in front at most" },
    Format { name: "dns1123LabelPrefix", holds: |text| dns1123_label(&unmasked(text)), must: "must be the beginning of a DNS label" },
    Format {
        name: "dns1123SubdomainPrefix",
        holds: |text| dns1123_subdomain(&unmasked(text)),
        must: "must be the beginning of a DNS subdomain",
    },
    Format { name: "dns1035LabelPrefix", holds: |text| dns1035_label(&unmasked(text)), must: "must be the beginning of a DNS label" },
    Format { name: "labelValue", holds: label_value, must: "must be letters, digits, `-`, `_` and `.`, at most 63 characters" },
    Format { name: "uri", holds: url::is_request_uri, must: "must be an absolute URL or path" },
    Format { name: "uuid", holds: uuid, must: "must be a UUID" },
    Format { name: "byte", holds: base64, must: "must be base64" },
    Format { name: "date", holds: time::is_date, must: "must be a date" },
    Format { name: "datetime", holds: time::is_date_time, must: "must be a date and time" },
];

fn register(env: &mut Env) -> Result<(), DeclarationError> {
    env.add_overload("format.named", "format_named", vec![STRING_TYPE], |args| {
        let name = args.first().and_then(|name| name.downcast_ref::<CelString<'_>>()).map(|name| name.inner().to_owned());
        let found = FORMATS.iter().find(|format| Some(format.name) == name.as_deref());
        Ok(CowVal::owned(found.map_or_else(CelOptional::none, |format| CelOptional::of(Box::new(*format)))))
    })?;
    env.add_overload("format.dns1123Label", "format_dns1123_label", vec![], |_| constant(0))?;
    env.add_overload("format.dns1123Subdomain", "format_dns1123_subdomain", vec![], |_| constant(1))?;
    env.add_overload("format.dns1035Label", "format_dns1035_label", vec![], |_| constant(2))?;
    env.add_overload("format.qualifiedName", "format_qualified_name", vec![], |_| constant(3))?;
    env.add_overload("format.dns1123LabelPrefix", "format_dns1123_label_prefix", vec![], |_| constant(4))?;
    env.add_overload("format.dns1123SubdomainPrefix", "format_dns1123_subdomain_prefix", vec![], |_| constant(5))?;
    env.add_overload("format.dns1035LabelPrefix", "format_dns1035_label_prefix", vec![], |_| constant(6))?;
    env.add_overload("format.labelValue", "format_label_value", vec![], |_| constant(7))?;
    env.add_overload("format.uri", "format_uri", vec![], |_| constant(8))?;
    env.add_overload("format.uuid", "format_uuid", vec![], |_| constant(9))?;
    env.add_overload("format.byte", "format_byte", vec![], |_| constant(10))?;
    env.add_overload("format.date", "format_date", vec![], |_| constant(11))?;
    env.add_overload("format.datetime", "format_datetime", vec![], |_| constant(12))?;
    env.add_member_overload("validate", "format_validate", Format::cel_type().to_owned(), vec![STRING_TYPE], validate)
}

fn constant<'b, 'v>(index: usize) -> Result<CowVal<'b, 'v>, ExecutionError> {
    FORMATS.get(index).map(|format| CowVal::owned(*format)).ok_or_else(|| failed("format", "unknown"))
}

fn validate<'b, 'v>(args: Vec<CowVal<'b, 'v>>) -> Result<CowVal<'b, 'v>, ExecutionError> {
    let format = args.first().and_then(|format| format.downcast_ref::<Format>());
    let text = args.get(1).and_then(|text| text.downcast_ref::<CelString<'v>>());
    let (Some(format), Some(text)) = (format, text) else { return Err(failed("validate", "not a format and a string")) };
    let wrong = (!(format.holds)(text.inner())).then(|| strings([format.must].into_iter()));
    Ok(CowVal::owned(wrong.map_or_else(CelOptional::none, |messages| CelOptional::of(Box::new(messages)))))
}

/// A name that somebody else completes may end with `-`.
fn unmasked(text: &str) -> String {
    match text.strip_suffix('-') {
        Some(rest) if !rest.is_empty() => {
            let mut masked: String = rest.to_owned();
            masked.pop();
            masked.push('a');
            masked
        }
        _ => text.to_owned(),
    }
}

fn dns1123_label(text: &str) -> bool {
    let inner = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    (1..=63).contains(&text.len()) && text.bytes().all(inner) && !text.starts_with('-') && !text.ends_with('-')
}

fn dns1123_subdomain(text: &str) -> bool {
    // A label of a subdomain has no length of its own.
    let inner = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    let label = |label: &str| !label.is_empty() && label.bytes().all(inner) && !label.starts_with('-') && !label.ends_with('-');
    text.len() <= 253 && text.split('.').all(label)
}

fn dns1035_label(text: &str) -> bool {
    dns1123_label(text) && text.starts_with(|first: char| first.is_ascii_lowercase())
}

/// The part of a label's key after `/`, and a label's value that is not empty.
fn name_part(text: &str) -> bool {
    let ends = |character: char| character.is_ascii_alphanumeric();
    let inner = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    text.len() <= 63 && text.bytes().all(inner) && text.starts_with(ends) && text.ends_with(ends)
}

fn qualified_name(text: &str) -> bool {
    match text.split_once('/') {
        Some((prefix, name)) => dns1123_subdomain(prefix) && name_part(name),
        None => name_part(text),
    }
}

fn label_value(text: &str) -> bool {
    text.is_empty() || name_part(text)
}

fn uuid(text: &str) -> bool {
    let mut rest = text;
    for (index, length) in [8, 4, 4, 4, 12].into_iter().enumerate() {
        if index > 0 {
            rest = rest.strip_prefix('-').unwrap_or(rest);
        }
        let Some((part, after)) = rest.split_at_checked(length) else { return false };
        if !part.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return false;
        }
        rest = after;
    }
    rest.is_empty()
}

fn base64(text: &str) -> bool {
    let body = text.trim_end_matches('=');
    let padding = text.len() - body.len();
    padding <= 2 && text.len().is_multiple_of(4) && body.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'+' || byte == b'/')
}
