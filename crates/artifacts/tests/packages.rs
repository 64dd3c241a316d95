//! What is shipped of each policy: metadata, form, package, manifest in a registry, bill of materials. All of it agrees with the code, and
//! with what reads it.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic, clippy::string_slice, reason = "tests")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::PathBuf;

use fedward_artifacts::metadata::Metadata;
use fedward_artifacts::oci::sha256;
use fedward_artifacts::origin::{Origin, RELEASE};
use fedward_artifacts::package::{self, Package};
use fedward_artifacts::{dist, hub, kinds, questions, root, sbom};
use fedward_kit::policy::Builtin;
use serde::Deserialize;
use serde_json::{Value, json};

fn packages() -> Vec<Package> {
    package::all(&root()).unwrap()
}

fn all() -> impl Iterator<Item = &'static Builtin> {
    fedward_modules::ALL.iter().chain([&fedward_modules::SUITE])
}

fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

#[test]
fn metadata_agree_with_the_code() {
    for builtin in all() {
        let metadata = Metadata::read(builtin.metadata).unwrap_or_else(|error| panic!("{}: {error:#}", builtin.id));
        let annotation = |name: &str| metadata.annotation(&format!("io.kubewarden.policy.{name}"));
        assert_eq!(annotation("title"), builtin.id);
        assert_eq!(annotation("version"), env!("CARGO_PKG_VERSION"), "{}", builtin.id);
        assert_eq!(annotation("license"), env!("CARGO_PKG_LICENSE"), "{}", builtin.id);
        assert_eq!(annotation("description").to_lowercase(), builtin.policy.describe().summary.to_lowercase(), "{}", builtin.id);
        assert_eq!(annotation("ociUrl"), format!("registry.example/fedward/{}", builtin.id));
        assert_eq!(metadata.mutating, builtin.id == "require-identity-labels", "{}", builtin.id);
        assert!(metadata.background_audit, "{}", builtin.id);
        assert_eq!([metadata.execution_mode.as_str(), metadata.policy_type.as_str()], ["kubewarden-wapc", "kubernetes"], "{}", builtin.id);
        let judged: Vec<&str> = kinds::judged(&metadata.rules).unwrap().into_iter().collect();
        assert_eq!(metadata.annotation("io.artifacthub.resources"), judged.join(", "), "{}", builtin.id);
        let severities: Vec<&str> =
            builtin.policy.describe().rules.iter().flat_map(|rule| rule.conditions).map(|condition| condition.severity.name()).collect();
        assert!(severities.contains(&"error"), "{}: a policy that never rejects is no more than low", builtin.id);
    }
}

/// A module has the name of each host call that it can make. Whether it makes them is in `tests/tests/operating.rs`.
#[test]
fn host_capabilities_are_in_the_module() {
    for builtin in all() {
        let text = String::from_utf8_lossy(builtin.wasm);
        for capability in Metadata::read(builtin.metadata).unwrap().host_capabilities {
            let (_, operation) = capability.split_once('/').unwrap();
            assert!(text.contains(operation), "{}: {capability}", builtin.id);
        }
    }
}

/// Whether a module names a kind: it could not ask for it otherwise.
#[test]
fn kinds_that_a_policy_looks_at_are_in_its_module() {
    for builtin in all() {
        let text = String::from_utf8_lossy(builtin.wasm);
        for resource in Metadata::read(builtin.metadata).unwrap().context_aware_resources {
            assert!(text.contains(&resource.kind), "{}: {}", builtin.id, resource.kind);
        }
    }
}

/// Kubewarden's object as `yaml.UnmarshalStrict` of Artifact Hub reads it (`internal/hub/pkg.go`): another field is an error there.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Hub {
    version: String,
    name: String,
    display_name: String,
    created_at: String,
    description: String,
    category: String,
    license: String,
    #[serde(rename = "homeURL")]
    home_url: String,
    containers_images: Vec<Image>,
    keywords: Vec<String>,
    links: Vec<Link>,
    install: String,
    maintainers: Vec<Person>,
    provider: Provider,
    annotations: BTreeMap<String, String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Image {
    name: String,
    image: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Link {
    name: String,
    url: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Person {
    name: String,
    email: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Provider {
    name: String,
}

/// `ValidatePackageMetadata` of Artifact Hub, for a repository of Kubewarden policies.
fn taken_by_artifact_hub(text: &str) -> Hub {
    let hub: Hub = fedward_engine::from_yaml(text).unwrap();
    semver::Version::parse(&hub.version).unwrap();
    for required in [&hub.name, &hub.display_name, &hub.description, &hub.license, &hub.home_url, &hub.install, &hub.provider.name] {
        assert!(!required.is_empty());
    }
    assert!(hub.name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-'));
    // RFC 3339, to the second.
    assert!(hub.created_at.len() == 20 && hub.created_at.ends_with('Z') && hub.created_at.as_bytes()[10] == b'T');
    assert_eq!(hub.category, "security");
    let [image] = hub.containers_images.as_slice() else { panic!("one image") };
    assert_eq!(image.name, "policy");
    assert!(!image.image.contains("://") && image.image.matches(':').count() == 1);
    assert!(!hub.keywords.is_empty() && hub.keywords.iter().all(|word| !word.is_empty() && word.trim() == word));
    assert!(hub.links.iter().all(|link| !link.name.is_empty() && link.url.starts_with("https://")));
    assert!(!hub.maintainers.is_empty() && hub.maintainers.iter().all(|one| !one.name.is_empty() && one.email.contains('@')));
    hub
}

#[test]
fn packages_are_taken_by_artifact_hub_and_agree_with_the_metadata() {
    for package in packages() {
        let path = format!("policies/{}/{}", package.id(), hub::PACKAGE);
        let text = read(&path);
        let hub = taken_by_artifact_hub(&text);
        assert_eq!(
            [hub.name.as_str(), hub.version.as_str(), hub.created_at.as_str()],
            [package.id(), env!("CARGO_PKG_VERSION"), RELEASE.1]
        );
        assert_eq!(hub.containers_images[0].image, format!("registry.example/fedward/{}:v{}", package.id(), hub.version));
        let metadata: Value = fedward_engine::from_yaml(package.builtin.metadata).unwrap();
        let annotation = |name: &str| hub.annotations[&format!("kubewarden/{name}")].as_str();
        for (name, field) in [("rules", "rules"), ("contextAwareResources", "contextAwareResources")] {
            assert_eq!(fedward_engine::from_yaml::<Value>(annotation(name)).unwrap(), metadata[field], "{path}: {name}");
        }
        assert_eq!(annotation("mutation"), package.metadata.mutating.to_string());
        assert_eq!(annotation("questions-ui"), read(&format!("policies/{}/questions-ui.yml", package.id())));
        assert_eq!(annotation("resources"), package.metadata.annotation("io.artifacthub.resources"));
        assert_eq!(hub.annotations.len(), 5);
        // The readme is the file beside it.
        assert!(root().join(format!("policies/{}/README.md", package.id())).is_file());
        if package.is_suite() {
            assert_eq!(read(hub::PACKAGE), text);
        }
    }
    let repository: BTreeMap<String, Vec<BTreeMap<String, String>>> = fedward_engine::from_yaml(&read(hub::REPOSITORY)).unwrap();
    assert!(repository.keys().eq(["owners"]) && repository["owners"].iter().all(|owner| owner.keys().eq(["email", "name"])));
}

/// The settings that a form makes if nobody changes anything.
fn defaults(questions: &[Value]) -> Value {
    let mut settings = json!({});
    for question in questions {
        let mut at = &mut settings;
        for part in question["variable"].as_str().unwrap().split('.') {
            at = at.as_object_mut().unwrap().entry(part).or_insert_with(|| json!({}));
        }
        *at = question["default"].clone();
    }
    settings
}

#[test]
fn forms_ask_for_every_setting_and_change_nothing_by_themselves() {
    const TYPES: [&str; 7] = ["array[", "boolean", "enum", "int", "map[", "sequence[", "string"];
    for package in packages() {
        let id = package.id();
        let text = read(&format!("policies/{id}/questions-ui.yml"));
        let (asked, left_out) = questions::form(&package);
        let file: Value = fedward_engine::from_yaml(&text).unwrap();
        assert_eq!(file, json!({ "questions": asked }), "{id}");
        assert!(left_out.iter().all(|name| text.lines().nth(1).unwrap().contains(name.as_str())), "{id}");
        let mut names: BTreeSet<&str> = left_out.iter().map(String::as_str).collect();
        for question in &asked {
            let (name, kind) = (question["variable"].as_str().unwrap(), question["type"].as_str().unwrap());
            assert!(names.insert(name), "{id}: `{name}` twice");
            assert!(TYPES.contains(&kind) && !question["label"].as_str().unwrap().is_empty(), "{id}: {name}");
            assert!(question["description"].as_str().is_some_and(|text| text.ends_with('.')), "{id}: {name}");
            assert!(kind != "enum" || question["options"].as_array().unwrap().contains(&question["default"]), "{id}: {name}");
        }
        for field in package.builtin.policy.describe().settings.iter().filter(|field| field.name != "policies") {
            assert!(names.contains(field.name), "{id}: nobody asks for `{}`", field.name);
        }
        let settings = defaults(&asked);
        let said = package.builtin.policy.validate_settings(settings.to_string().as_bytes());
        assert_eq!(String::from_utf8_lossy(&said), "{\"valid\":true}", "{id}: {settings}");
        // They mean what no settings mean, to an object with a mistake for each policy.
        for payload in mistakes() {
            let with = |settings: &Value| {
                let payload = payload.replace("\"settings\":{}", &format!("\"settings\":{settings}"));
                package.builtin.policy.validate(payload.as_bytes(), &Nobody).unwrap()
            };
            assert_eq!(with(&settings), with(&json!({})), "{id}: {payload}");
        }
    }
}

/// A cluster without objects.
struct Nobody;

impl fedward_kit::context::Host for Nobody {
    fn kubernetes(&self, _operation: &str, _payload: &[u8]) -> Result<Vec<u8>, String> {
        Err("no permission".to_owned())
    }
}

/// Payloads of the reference deployments, most of which have mistakes.
fn mistakes() -> Vec<String> {
    let folder = root().join("fixtures/scenarios");
    let mut folders: Vec<PathBuf> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path().join("as-published")).collect();
    folders.sort();
    let mut found = Vec::new();
    for file in folders.iter().flat_map(|folder| fs::read_dir(folder).unwrap()).map(|entry| entry.unwrap().path()) {
        if file.extension().is_some_and(|extension| extension == "yaml") && !file.ends_with("fedward.yaml") {
            let payloads = fedward_engine::payloads(&fs::read_to_string(file).unwrap(), &json!({}));
            found.extend(payloads.into_iter().map(|payload| String::from_utf8(payload).unwrap()));
        }
    }
    assert!(found.len() > 20, "{}", found.len());
    found
}

fn files() -> BTreeMap<String, Vec<u8>> {
    dist::files(&root(), &Origin::default(), |id| fedward_modules::module(id).unwrap().wasm.to_vec()).unwrap()
}

fn parsed(files: &BTreeMap<String, Vec<u8>>, path: &str) -> Value {
    serde_json::from_slice(files.get(path).unwrap_or_else(|| panic!("no {path}"))).unwrap()
}

#[test]
fn the_same_modules_give_the_same_files_and_every_file_has_its_checksum() {
    let (once, again) = (files(), files());
    assert!(once == again, "two runs differ");
    let folder = std::env::temp_dir().join(format!("fedward-dist-{}", std::process::id()));
    dist::write(&folder, &once).unwrap();
    // What an older run left does not stay among the new blobs.
    fs::write(folder.join("oci/blobs/sha256/0000"), "old").unwrap();
    dist::write(&folder, &once).unwrap();
    assert!(!folder.join("oci/blobs/sha256/0000").exists());
    let sums = fs::read_to_string(folder.join(dist::SUMS)).unwrap();
    let mut listed = BTreeSet::new();
    for line in sums.lines() {
        let (sum, path) = line.split_once("  ").unwrap();
        assert_eq!(sum, sha256(&fs::read(folder.join(path)).unwrap()), "{path}");
        listed.insert(path);
    }
    assert_eq!(listed, once.keys().map(String::as_str).filter(|path| *path != dist::SUMS).collect());
    fs::remove_dir_all(folder).unwrap();
    for builtin in all() {
        for end in ["wasm", "md", "spdx.json"] {
            assert!(listed.contains(format!("{}.{end}", builtin.id).as_str()), "{}.{end}", builtin.id);
        }
    }
}

/// The bars of a module, with everything that it carries.
#[test]
fn annotated_modules_stay_small() {
    let files = files();
    for builtin in all() {
        let (size, most) = (files[&format!("{}.wasm", builtin.id)].len(), if builtin.id == "suite" { 1_200_000 } else { 400 << 10 });
        assert!(size <= most, "{}: {size} bytes", builtin.id);
    }
}

/// What a policy server reads from the module that a registry gives it.
#[test]
fn modules_carry_their_metadata_with_the_publishers_registry() {
    let words = ["--registry", "localhost:5000/mirror", "--source-url", "https://git.example/fedward", "--contact", "us@git.example"];
    let origin = Origin::read(&words).unwrap();
    let files = dist::files(&root(), &origin, |id| fedward_modules::module(id).unwrap().wasm.to_vec()).unwrap();
    for package in packages() {
        let id = package.id();
        let wasm = &files[&format!("{id}.wasm")];
        let sections: Vec<&[u8]> = wasmtime::wasmparser::Parser::new(0)
            .parse_all(wasm)
            .filter_map(|payload| match payload.unwrap() {
                wasmtime::wasmparser::Payload::CustomSection(section) if section.name() == "io.kubewarden.metadata" => Some(section.data()),
                _ => None,
            })
            .collect();
        let [section] = sections.as_slice() else { panic!("{id}: {} sections", sections.len()) };
        let carried: Value = serde_json::from_slice(section).unwrap();
        let own: Value = fedward_engine::from_yaml(&package.file.text).unwrap();
        for field in ["rules", "mutating", "backgroundAudit", "contextAwareResources", "executionMode", "policyType", "hostCapabilities"] {
            assert_eq!(carried[field], own[field], "{id}: {field}");
        }
        assert_eq!(carried["protocolVersion"], "v1");
        let annotation = |name: &str| carried["annotations"][&format!("io.kubewarden.policy.{name}")].clone();
        assert_eq!(annotation("ociUrl"), format!("localhost:5000/mirror/{id}"));
        assert_eq!([annotation("url"), annotation("source")], [json!("https://git.example/fedward"), json!("https://git.example/fedward")]);
        assert_eq!(annotation("author"), "fedward developers <us@git.example>");
        assert!(annotation("usage").as_str().unwrap().starts_with(&format!("# {id}\n")));
        let text = String::from_utf8(files[&format!("artifacthub/{id}/{}/{}", RELEASE.0, hub::PACKAGE)].clone()).unwrap();
        let hub = taken_by_artifact_hub(&text.replace("localhost:5000", "localhost"));
        assert_eq!(hub.containers_images[0].image, format!("localhost/mirror/{id}:v{}", RELEASE.0));
        assert!(files.contains_key(&format!("artifacthub/{id}/{}/README.md", RELEASE.0)));
    }
    for content in files.values().filter_map(|content| std::str::from_utf8(content).ok()) {
        assert!(!content.contains("developers@fedward.example"), "{}", &content[..content.len().min(80)]);
    }
}

/// Schemas by their file names, wherever a reference says that they are.
struct Schemas;

impl jsonschema::Retrieve for Schemas {
    fn retrieve(&self, uri: &jsonschema::Uri<String>) -> Result<Value, Box<dyn std::error::Error + Send + Sync>> {
        let name = uri.as_str().rsplit('/').next().unwrap_or_default().trim_end_matches('#').to_owned();
        Ok(schema(&name))
    }
}

fn schema(name: &str) -> Value {
    serde_json::from_str(&read(&format!("crates/artifacts/tests/schema/{name}"))).unwrap()
}

fn holds(name: &str, value: &Value) {
    let validator = jsonschema::options().with_retriever(Schemas).build(&schema(name)).unwrap();
    let wrong: Vec<String> = validator.iter_errors(value).map(|error| format!("{}: {error}", error.instance_path())).collect();
    assert!(wrong.is_empty(), "{name}: {wrong:?}");
}

#[test]
fn the_layout_is_one_of_oci_with_a_manifest_like_that_of_kwctl() {
    let files = files();
    let blob = |digest: &Value| format!("oci/blobs/{}", digest.as_str().unwrap().replace(':', "/"));
    holds("image-layout-schema.json", &parsed(&files, "oci/oci-layout"));
    let index = parsed(&files, "oci/index.json");
    holds("image-index-schema.json", &index);
    let mut used: BTreeSet<String> = BTreeSet::new();
    let manifests = index["manifests"].as_array().unwrap();
    assert_eq!(manifests.len(), fedward_modules::ALL.len() + 1);
    for (descriptor, package) in manifests.iter().zip(packages()) {
        let id = package.id();
        assert_eq!(descriptor["annotations"]["org.opencontainers.image.ref.name"], format!("{id}-v{}", RELEASE.0));
        let manifest = parsed(&files, &blob(&descriptor["digest"]));
        holds("image-manifest-schema.json", &manifest);
        let [layer] = manifest["layers"].as_array().unwrap().as_slice() else { panic!("{id}: one layer") };
        assert_eq!(layer["mediaType"], "application/vnd.wasm.content.layer.v1+wasm");
        assert_eq!(files[&blob(&layer["digest"])], files[&format!("{id}.wasm")], "{id}");
        assert_eq!(files[&blob(&manifest["config"]["digest"])], b"{}");
        let annotations = manifest["annotations"].as_object().unwrap();
        assert_eq!(annotations["org.opencontainers.image.source"], "https://fedward.example");
        assert!(
            !annotations.contains_key("io.kubewarden.policy.usage")
                && annotations.values().all(|value| !value.as_str().unwrap().contains('\n'))
        );
        assert!(package.metadata.annotations.keys().all(|name| annotations.contains_key(name)), "{id}");
        for part in [descriptor, layer, &manifest["config"]] {
            let content = &files[&blob(&part["digest"])];
            assert_eq!((&part["size"], &part["digest"]), (&json!(content.len()), &json!(format!("sha256:{}", sha256(content)))));
            used.insert(blob(&part["digest"]));
        }
    }
    assert_eq!(used, files.keys().filter(|path| path.starts_with("oci/blobs/")).cloned().collect(), "a blob that nothing names");
}

/// What SPDX 2.3 requires of a document, its packages and its relationships.
fn is_spdx(document: &Value) {
    let text = |value: &Value| value.as_str().is_some_and(|text| !text.is_empty());
    assert_eq!([&document["spdxVersion"], &document["dataLicense"], &document["SPDXID"]], ["SPDX-2.3", "CC0-1.0", "SPDXRef-DOCUMENT"]);
    assert!(
        text(&document["name"])
            && document["documentNamespace"].as_str().is_some_and(|uri| uri.starts_with("https://") && !uri.contains('#'))
    );
    assert_eq!(document["creationInfo"]["created"], RELEASE.1);
    let creators = document["creationInfo"]["creators"].as_array().unwrap();
    assert!(creators.iter().all(|one| ["Person: ", "Organization: ", "Tool: "].iter().any(|kind| one.as_str().unwrap().starts_with(kind))));
    let mut ids = BTreeSet::from(["SPDXRef-DOCUMENT"]);
    for package in document["packages"].as_array().unwrap() {
        let id = package["SPDXID"].as_str().unwrap();
        assert!(ids.insert(id), "{id} twice");
        let rest = id.strip_prefix("SPDXRef-").unwrap();
        assert!(rest.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-".contains(&byte)), "{id}");
        for field in ["name", "versionInfo", "downloadLocation", "licenseConcluded", "licenseDeclared", "copyrightText"] {
            assert!(text(&package[field]), "{id}: {field}");
        }
        assert_eq!(package["filesAnalyzed"], false);
        for checksum in package["checksums"].as_array().into_iter().flatten() {
            let value = checksum["checksumValue"].as_str().unwrap();
            assert!(checksum["algorithm"] == "SHA256" && value.len() == 64 && value.bytes().all(|byte| byte.is_ascii_hexdigit()), "{id}");
        }
        for reference in package["externalRefs"].as_array().into_iter().flatten() {
            assert_eq!([&reference["referenceCategory"], &reference["referenceType"]], ["PACKAGE-MANAGER", "purl"]);
            assert!(reference["referenceLocator"].as_str().unwrap().starts_with("pkg:"), "{id}");
        }
        // Identifiers and operators; deny.toml says which are possible.
        let license = package["licenseDeclared"].as_str().unwrap();
        let known = ["Apache-2.0", "BSD-3-Clause", "LLVM-exception", "MIT", "Unicode-3.0", "Unlicense", "Zlib", "AND", "OR", "WITH"];
        assert!(license.split([' ', '(', ')']).filter(|word| !word.is_empty()).all(|word| known.contains(&word)), "{id}: {license}");
    }
    let relationships = document["relationships"].as_array().unwrap();
    for relationship in relationships {
        assert!(["DEPENDS_ON", "DESCRIBES", "GENERATED_FROM"].contains(&relationship["relationshipType"].as_str().unwrap()));
        for end in ["spdxElementId", "relatedSpdxElement"] {
            assert!(ids.contains(relationship[end].as_str().unwrap()), "{relationship}");
        }
    }
    assert_eq!(relationships.iter().filter(|relationship| relationship["relationshipType"] == "DESCRIBES").count(), 1);
}

#[test]
fn bills_of_materials_have_what_is_compiled_into_the_module_and_nothing_else() {
    let files = files();
    for builtin in all() {
        let document = parsed(&files, &format!("{}.spdx.json", builtin.id));
        is_spdx(&document);
        let packages = document["packages"].as_array().unwrap();
        let names: BTreeSet<&str> = packages.iter().map(|package| package["name"].as_str().unwrap()).collect();
        for there in [builtin.id, "fedward-kit", "fedward-tree", "bumpalo", "granit-parser", "serde_json", "rust-std"] {
            assert!(names.contains(there), "{}: {there}", builtin.id);
        }
        // What builds it, what runs it, and what other policies are made of.
        for elsewhere in ["serde_derive", "syn", "thiserror-impl", "wasmtime", "clap", "fedward-host", "fedward-engine"] {
            assert!(!names.contains(elsewhere), "{}: {elsewhere}", builtin.id);
        }
        for other in fedward_modules::ALL.iter().filter(|other| other.id != builtin.id) {
            assert_eq!(names.contains(other.id), builtin.id == "suite", "{}: {}", builtin.id, other.id);
        }
        let module = &packages[0];
        assert_eq!([&module["name"], &module["versionInfo"]], [builtin.id, env!("CARGO_PKG_VERSION")]);
        assert_eq!(module["checksums"][0]["checksumValue"], sha256(&files[&format!("{}.wasm", builtin.id)]));
        // Names of source files in a module are those of crates in its bill.
        let text = String::from_utf8_lossy(builtin.wasm);
        for (_, rest) in text.match_indices("/crates/").map(|(at, mark)| (at, &text[at + mark.len()..])) {
            let name = rest.split('/').next().unwrap();
            let known = packages
                .iter()
                .any(|package| name == format!("{}-{}", package["name"].as_str().unwrap(), package["versionInfo"].as_str().unwrap()));
            assert!(known, "{}: {name}", builtin.id);
        }
        for package in packages
            .iter()
            .filter(|package| package["externalRefs"][0]["referenceLocator"].as_str().is_some_and(|purl| purl.starts_with("pkg:cargo/")))
        {
            assert!(package["checksums"].is_array(), "{}: {}", builtin.id, package["name"]);
        }
    }
}

#[test]
fn no_bill_names_this_machine() {
    let home = std::env::home_dir().map(|home| home.to_string_lossy().into_owned()).filter(|home| home.len() > 1);
    let own = root().canonicalize().unwrap().to_string_lossy().into_owned();
    for builtin in all() {
        let graph = sbom::graph(&root(), builtin.id).unwrap();
        let text = format!("{graph:?}");
        assert!(!text.contains(&own) && home.as_ref().is_none_or(|home| !text.contains(home)), "{}", builtin.id);
        assert!(graph.crates.len() > 10, "{}", builtin.id);
    }
}
