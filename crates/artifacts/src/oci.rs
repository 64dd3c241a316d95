//! Modules as an OCI image layout: what a registry would hold after `kwctl push`, as files that any tool for registries can copy there.
//!
//! Sources: `kwctl/src/push.rs` and `policy-fetcher/src/registry` of Kubewarden for the form; the OCI image specification 1.1 for layouts.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

const LAYER: &str = "application/vnd.wasm.content.layer.v1+wasm";
const CONFIG: &str = "application/vnd.wasm.config.v1+json";
const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
const INDEX: &str = "application/vnd.oci.image.index.v1+json";
const SOURCE: &str = "org.opencontainers.image.source";
const REFERENCE: &str = "org.opencontainers.image.ref.name";
/// A policy has no configuration.
const EMPTY: &[u8] = b"{}";

/// The files of a layout, by their paths in it.
#[derive(Debug, Default)]
pub struct Layout {
    files: BTreeMap<String, Vec<u8>>,
    manifests: Vec<Value>,
}

impl Layout {
    /// Adds a module under a name, with the annotations of its metadata. Gives the digest by which a registry knows it.
    pub fn add(&mut self, name: &str, module: &[u8], annotations: &BTreeMap<String, String>) -> String {
        let manifest = json!({
            "schemaVersion": 2,
            "mediaType": MANIFEST,
            "config": self.blob(CONFIG, EMPTY),
            "layers": [self.blob(LAYER, module)],
            "annotations": of_manifest(annotations),
        });
        let mut descriptor = self.blob(MANIFEST, manifest.to_string().as_bytes());
        let digest = descriptor.get("digest").and_then(Value::as_str).unwrap_or_default().to_owned();
        if let Some(fields) = descriptor.as_object_mut() {
            fields.insert("annotations".to_owned(), json!({ REFERENCE: name }));
        }
        self.manifests.push(descriptor);
        digest
    }

    /// All files, by their paths.
    pub fn finish(mut self) -> BTreeMap<String, Vec<u8>> {
        let index = json!({ "schemaVersion": 2, "mediaType": INDEX, "manifests": self.manifests });
        self.files.insert("index.json".to_owned(), index.to_string().into_bytes());
        self.files.insert("oci-layout".to_owned(), json!({ "imageLayoutVersion": "1.0.0" }).to_string().into_bytes());
        self.files
    }

    /// Puts a blob in its place, and describes it.
    fn blob(&mut self, media_type: &str, content: &[u8]) -> Value {
        let digest = sha256(content);
        self.files.insert(format!("blobs/sha256/{digest}"), content.to_vec());
        json!({ "mediaType": media_type, "digest": format!("sha256:{digest}"), "size": content.len() })
    }
}

/// The annotations of a manifest: those of one line, and the source under the name that every registry knows.
fn of_manifest(annotations: &BTreeMap<String, String>) -> BTreeMap<&str, &str> {
    let short = annotations.iter().filter(|(_, value)| value.lines().count() <= 1);
    let mut kept: BTreeMap<&str, &str> = short.map(|(name, value)| (name.as_str(), value.trim())).collect();
    if let Some(source) = kept.get("io.kubewarden.policy.source").copied() {
        kept.entry(SOURCE).or_insert(source);
    }
    kept
}

/// A digest in hexadecimal.
pub fn sha256(content: &[u8]) -> String {
    Sha256::digest(content).iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

    use super::*;

    fn read(files: &BTreeMap<String, Vec<u8>>, path: &str) -> Value {
        serde_json::from_slice(files.get(path).unwrap_or_else(|| unreachable!("{path}"))).unwrap()
    }

    #[test]
    fn a_manifest_is_that_of_kwctl() {
        let annotations: BTreeMap<String, String> = [
            ("io.kubewarden.policy.title", "a"),
            ("io.kubewarden.policy.source", "https://fedward.example"),
            ("io.kubewarden.policy.usage", "# Several\nlines\n"),
            ("io.fedward.offline-rules", "[]\n"),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .into();
        let mut layout = Layout::default();
        let digest = layout.add("a-v1.2.3", b"\0asm", &annotations);
        let files = layout.finish();
        let descriptor = &read(&files, "index.json")["manifests"][0];
        assert_eq!((&descriptor["digest"], &descriptor["annotations"]), (&json!(digest), &json!({REFERENCE: "a-v1.2.3"})));
        let manifest = read(&files, &format!("blobs/{}", digest.replace(':', "/")));
        let layer = json!({"mediaType": LAYER, "digest": format!("sha256:{}", sha256(b"\0asm")), "size": 4});
        assert_eq!(manifest["layers"], json!([layer]));
        // The digest of `{}`.
        let empty = "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a";
        assert_eq!(manifest["config"], json!({"mediaType": CONFIG, "digest": format!("sha256:{empty}"), "size": 2}));
        assert_eq!(
            manifest["annotations"],
            json!({
                "io.kubewarden.policy.title": "a", "io.kubewarden.policy.source": "https://fedward.example",
                "io.fedward.offline-rules": "[]", SOURCE: "https://fedward.example",
            })
        );
    }
}
