//! How the API server reads JSON: an absent or null field is empty, and a wrong type refuses the whole object.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer};

/// A field that may be null.
pub(crate) fn nullable<'de, D: Deserializer<'de>, T: Deserialize<'de> + Default>(from: D) -> Result<T, D::Error> {
    Ok(Option::deserialize(from)?.unwrap_or_default())
}

/// A list that may be null, as may each item.
pub(crate) fn list<'de, D: Deserializer<'de>, T: Deserialize<'de> + Default>(from: D) -> Result<Vec<T>, D::Error> {
    let items: Vec<Option<T>> = nullable(from)?;
    Ok(items.into_iter().map(Option::unwrap_or_default).collect())
}

/// A map of strings that may be null, as may each value.
pub(crate) fn table<'de, D: Deserializer<'de>>(from: D) -> Result<BTreeMap<String, String>, D::Error> {
    let entries: BTreeMap<String, Option<String>> = nullable(from)?;
    Ok(entries.into_iter().map(|(key, value)| (key, value.unwrap_or_default())).collect())
}
