//! The annotations of each policy's `metadata.yml` that follow from its code, its rules, or the workspace.
//!
//! People write `policies/<id>/metadata.yml`; what stands between `# generated: …` and `# end of generated` is replaced.

use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result};
use fedward_kit::policy::{AnyPolicy, Descriptor};
use serde_json::{Map, Value};

use crate::files::{Generated, MARK};
use crate::kinds;
use crate::metadata::{self, Metadata};
use crate::origin::{Origin, RELEASE};
use crate::yaml;

const BEGIN: &str = "  # generated:";
const END: &str = "  # end of generated\n";

/// A policy's `metadata.yml` with what is generated in its place.
///
/// # Errors
/// A file that is not there, lacks the place, or does not parse; a resource whose kind is not known.
pub fn completed(root: &Path, policy: &dyn AnyPolicy) -> Result<Generated> {
    let Descriptor { id, summary, .. } = policy.describe();
    let path = format!("policies/{id}/metadata.yml");
    let text = fs::read_to_string(root.join(&path)).with_context(|| format!("cannot read `{path}`"))?;
    let (before, rest) = text.split_once(BEGIN).with_context(|| format!("`{path}` has no `{}`", BEGIN.trim()))?;
    let (_, after) = rest.split_once(END).with_context(|| format!("`{path}` has no `{}`", END.trim()))?;
    let rules = Metadata::parse(&text).with_context(|| path.clone())?.rules;
    let own = derived(id, summary, &rules).with_context(|| path.clone())?;
    let lines: String = own.lines().map(|line| format!("  {line}\n")).collect();
    Ok(Generated { text: format!("{before}{BEGIN} {MARK}.\n{lines}{END}{after}"), path })
}

/// Annotations that nobody has to write.
///
/// # Errors
/// A resource whose kind is not known.
pub fn derived(id: &str, summary: &str, rules: &[metadata::Matching]) -> Result<String> {
    let kinds: Vec<&str> = kinds::judged(rules)?.into_iter().collect();
    let mut map: Map<String, Value> =
        metadata::from(id, &Origin::default()).into_iter().map(|(name, value)| (name.to_owned(), value.into())).collect();
    for (name, value) in [
        ("io.artifacthub.resources", kinds.join(", ")),
        ("io.kubewarden.policy.description", sentence(summary)),
        ("io.kubewarden.policy.license", env!("CARGO_PKG_LICENSE").to_owned()),
        ("io.kubewarden.policy.title", id.to_owned()),
        ("io.kubewarden.policy.version", RELEASE.0.to_owned()),
    ] {
        map.insert(name.to_owned(), value.into());
    }
    Ok(yaml::write(&Value::Object(map)))
}

/// With a capital.
fn sentence(summary: &str) -> String {
    let mut chars = summary.chars();
    chars.next().map_or_else(String::new, |first| first.to_uppercase().chain(chars).collect())
}
