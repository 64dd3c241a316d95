//! What a module is made of, as SPDX 2.3 in JSON: the crates that are compiled into it, and nothing that only builds it.
//!
//! Source: SPDX specification 2.3, clauses 6, 7 and 11. The crates are those that cargo resolves for this one package and target; their
//! checksums are those of `Cargo.lock`.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result, bail};
use serde_json::{Value, json};

use crate::oci::sha256;
use crate::origin::{Origin, RELEASE};

const DOCUMENT: &str = "SPDXRef-DOCUMENT";
const TARGET: &str = "wasm32-unknown-unknown";
/// What compiled code has of the toolchain, and its licence.
const STANDARD: (&str, &str) = ("rust-std", "MIT OR Apache-2.0");

/// A crate, as cargo and `Cargo.lock` know it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Crate {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
    /// Its licence, as an expression of SPDX.
    pub license: String,
    /// SHA-256 of what the registry has of it; none of a crate of this workspace.
    pub checksum: Option<String>,
}

/// The crates of a module, and which of them needs which.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Graph {
    /// The module's own crate first in no way: sorted by name.
    pub crates: BTreeSet<Crate>,
    /// Name and version of one, and of one that it needs.
    pub edges: BTreeSet<[(String, String); 2]>,
}

/// What is compiled into a module.
///
/// # Errors
/// A cargo that fails, or says something else than it is asked; no `Cargo.lock`.
pub fn graph(root: &Path, id: &str) -> Result<Graph> {
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.current_dir(root).args(["tree", "--locked", "--offline", "--package", id, "--target", TARGET]);
    cargo.args(["--edges", "normal,no-proc-macro", "--prefix", "depth", "--no-dedupe", "--format", "|{p}|{l}"]);
    let output = cargo.output().context("cannot run `cargo tree`")?;
    if !output.status.success() {
        bail!("`cargo tree` failed for `{id}`: {}", String::from_utf8_lossy(&output.stderr).trim());
    }
    let lock = fs::read_to_string(root.join("Cargo.lock")).context("cannot read `Cargo.lock`")?;
    read(&String::from_utf8_lossy(&output.stdout), &checksums(&lock))
}

/// Reads lines such as `1|serde v1.0.0|MIT OR Apache-2.0`; the number is the depth in the tree.
fn read(tree: &str, checksums: &BTreeMap<(String, String), String>) -> Result<Graph> {
    let mut graph = Graph::default();
    let mut path: Vec<(String, String)> = Vec::new();
    for line in tree.lines() {
        let parts: Vec<&str> = line.splitn(3, '|').collect();
        let [depth, package, license] = parts.as_slice() else { bail!("`cargo tree` says `{line}`") };
        let depth: usize = depth.parse().with_context(|| format!("`cargo tree` says `{line}`"))?;
        let mut words = package.split(' ');
        let (Some(name), Some(version)) = (words.next(), words.next().and_then(|version| version.strip_prefix('v'))) else {
            bail!("`cargo tree` says `{line}`");
        };
        let key = (name.to_owned(), version.to_owned());
        path.truncate(depth);
        if let Some(parent) = path.last() {
            graph.edges.insert([parent.clone(), key.clone()]);
        }
        graph.crates.insert(Crate {
            name: key.0.clone(),
            version: key.1.clone(),
            // As crates wrote it before there was a form for it.
            license: license.trim_end_matches(" (*)").replace('/', " OR "),
            checksum: checksums.get(&key).cloned(),
        });
        path.push(key);
    }
    Ok(graph)
}

/// The checksums of a `Cargo.lock`, which cargo writes in one form only.
fn checksums(lock: &str) -> BTreeMap<(String, String), String> {
    let field = |package: &str, name: &str| {
        let value = package.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(" = \"")?.strip_suffix('"'));
        value.map(str::to_owned)
    };
    let one = |package: &str| Some(((field(package, "name")?, field(package, "version")?), field(package, "checksum")?));
    lock.split("[[package]]").filter_map(one).collect()
}

/// The module that a document is about.
pub struct Subject<'a> {
    /// The policy's id.
    pub id: &'a str,
    /// The annotated module.
    pub module: &'a [u8],
    /// Its digest in a registry.
    pub digest: &'a str,
    /// The version of the toolchain.
    pub toolchain: &'a str,
}

/// The document.
pub fn document(subject: &Subject<'_>, graph: &Graph, origin: &Origin) -> Value {
    let Subject { id, module, digest, toolchain } = subject;
    let checksum = sha256(module);
    let root = spdx_id("Module", id, RELEASE.0);
    let repository = origin.repository(id);
    let purl = format!("pkg:oci/{id}@{}?repository_url={repository}&tag=v{}", digest.replace(':', "%3A"), RELEASE.0);
    let mut packages = vec![package(&root, id, RELEASE.0, env!("CARGO_PKG_LICENSE"), Some(&checksum), Some(purl), "APPLICATION")];
    let mut relationships = vec![relationship(DOCUMENT, "DESCRIBES", &root)];
    for one in &graph.crates {
        let spdx = spdx_id("Package", &one.name, &one.version);
        // A crate that no registry has is found by no scanner.
        let purl = one.checksum.as_ref().map(|_| format!("pkg:cargo/{}@{}", one.name, one.version));
        packages.push(package(&spdx, &one.name, &one.version, &one.license, one.checksum.as_deref(), purl, "LIBRARY"));
        if one.name == *id {
            relationships.push(relationship(&root, "GENERATED_FROM", &spdx));
        }
    }
    let (standard, license) = STANDARD;
    let spdx = spdx_id("Package", standard, toolchain);
    packages.push(package(&spdx, standard, toolchain, license, None, None, "LIBRARY"));
    relationships.push(relationship(&root, "DEPENDS_ON", &spdx));
    for [(name, version), (other, of)] in &graph.edges {
        relationships.push(relationship(&spdx_id("Package", name, version), "DEPENDS_ON", &spdx_id("Package", other, of)));
    }
    json!({
        "spdxVersion": "SPDX-2.3",
        "dataLicense": "CC0-1.0",
        "SPDXID": DOCUMENT,
        "name": format!("{id}-{}", RELEASE.0),
        "documentNamespace": format!("{}/spdx/{id}-{}-{checksum}", origin.source_url.trim_end_matches('/'), RELEASE.0),
        "creationInfo": {
            "created": RELEASE.1,
            "creators": [format!("Organization: {} ({})", origin.author_name(), origin.contact), format!("Tool: fedward-artifacts-{}", RELEASE.0)],
        },
        "packages": packages,
        "relationships": relationships,
    })
}

fn package(spdx: &str, name: &str, version: &str, license: &str, checksum: Option<&str>, purl: Option<String>, purpose: &str) -> Value {
    let mut package = json!({
        "SPDXID": spdx,
        "name": name,
        "versionInfo": version,
        "downloadLocation": "NOASSERTION",
        "filesAnalyzed": false,
        "licenseConcluded": "NOASSERTION",
        "licenseDeclared": if license.is_empty() { "NOASSERTION" } else { license },
        "copyrightText": "NOASSERTION",
        "primaryPackagePurpose": purpose,
    });
    let checksum = checksum.map(|value| ("checksums", json!([{ "algorithm": "SHA256", "checksumValue": value }])));
    let purl = purl.map(|purl| {
        let reference = json!({ "referenceCategory": "PACKAGE-MANAGER", "referenceType": "purl", "referenceLocator": purl });
        ("externalRefs", json!([reference]))
    });
    if let Some(fields) = package.as_object_mut() {
        fields.extend(checksum.into_iter().chain(purl).map(|(name, value)| (name.to_owned(), value)));
    }
    package
}

fn relationship(from: &str, kind: &str, to: &str) -> Value {
    json!({ "spdxElementId": from, "relationshipType": kind, "relatedSpdxElement": to })
}

/// An id has letters, digits, dots and dashes only.
fn spdx_id(kind: &str, name: &str, version: &str) -> String {
    let text: String = version.chars().map(|char| if char.is_ascii_alphanumeric() || char == '.' { char } else { '-' }).collect();
    format!("SPDXRef-{kind}-{}-{text}", name.replace('_', "-"))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use super::*;

    const LOCK: &str = "version = 4\n\n[[package]]\nname = \"a\"\nversion = \"0.1.0\"\ndependencies = [\n \"b_c\",\n]\n\n[[package]]\nname = \
                        \"b_c\"\nversion = \"2.0.0+x\"\nsource = \"registry\"\nchecksum = \"00ff\"\n";

    #[test]
    fn a_tree_is_read_with_who_needs_whom() {
        let tree = "0|a v0.1.0 (/some/where)|Apache-2.0\n1|b_c v2.0.0+x|MIT/Apache-2.0\n2|d v3.0.0|MIT\n1|d v3.0.0|MIT (*)\n";
        let graph = read(tree, &checksums(LOCK)).unwrap();
        let key = |name: &str, version: &str| (name.to_owned(), version.to_owned());
        let (a, b, d) = (key("a", "0.1.0"), key("b_c", "2.0.0+x"), key("d", "3.0.0"));
        assert_eq!(graph.edges, [[a.clone(), b.clone()], [a, d.clone()], [b, d]].into());
        let found: Vec<_> = graph.crates.iter().map(|one| (one.name.as_str(), one.license.as_str(), one.checksum.as_deref())).collect();
        assert_eq!(found, [("a", "Apache-2.0", None), ("b_c", "MIT OR Apache-2.0", Some("00ff")), ("d", "MIT", None)]);
        assert!(read("nonsense", &BTreeMap::new()).is_err() && read("x|a v1|MIT", &BTreeMap::new()).is_err());
    }

    #[test]
    fn ids_have_no_other_characters() {
        assert_eq!(spdx_id("Package", "b_c", "2.0.0+x"), "SPDXRef-Package-b-c-2.0.0-x");
    }
}
