//! Every case in `fixtures/gitops/render` is a test: what is rendered must be the file in `expected`, byte for byte, and so must be what
//! the real `helm template` and `kustomize build` print, in the versions that this build has. `UPDATE_EXPECT=1` writes those files, from
//! the peers' output.
//!
//! Peers are taken from the `PATH`. Where one is missing its half of the test says so, and fails if `CI` is set.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic, reason = "tests")]

mod peer;

use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock};
use std::{env, fs};

use fedward_render::{Helm, Jsonnet, Kustomize, Outcome, Renderer, Source, Values, Variable};
use libtest_mimic::{Arguments, Failed, Trial};
use serde::Deserialize;

use peer::Peer;

static ROOT: LazyLock<PathBuf> =
    LazyLock::new(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/gitops/render").canonicalize().unwrap());

/// A case of `cases.json`: the fields that a source has, and what becomes of it.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
struct Case {
    /// Its name; of a kustomization and a Jsonnet file, also where it is.
    name: String,
    /// Its name, if another case is at the same place.
    #[serde(rename = "as")]
    alias: Option<String>,
    /// Whether it does not render. Then the message is expected, and the peer's must have it in it.
    fails: bool,
    /// Whether it fails in other words than the peer's, which must fail, too.
    #[serde(rename = "ourWords")]
    ours: bool,
    release_name: Option<String>,
    namespace: Option<String>,
    kube_version: Option<String>,
    api_versions: Vec<String>,
    values: Vec<String>,
    set: Vec<String>,
    set_string: Vec<String>,
    set_file: Vec<String>,
    set_json: Vec<String>,
    set_literal: Vec<String>,
    include_crds: bool,
    skip_tests: bool,
    skip_schema_validation: bool,
    name_prefix: String,
    name_suffix: String,
    images: Vec<String>,
    replicas: Vec<(String, u64)>,
    common_labels: Vec<(String, String)>,
    label_without_selector: bool,
    label_include_templates: bool,
    common_annotations: Vec<(String, String)>,
    force_common_annotations: bool,
    components: Vec<String>,
    load_restrictions_none: bool,
    ext_vars: Vec<(String, String, bool)>,
    tlas: Vec<(String, String, bool)>,
    libs: Vec<String>,
}

impl Case {
    fn helm(&self, folder: &str) -> Helm {
        let default = Helm::default();
        Helm {
            chart: format!("{folder}/chart"),
            release_name: self.release_name.clone().unwrap_or(default.release_name),
            namespace: self.namespace.clone().unwrap_or(default.namespace),
            kube_version: self.kube_version.clone(),
            api_versions: self.api_versions.clone(),
            values: self.values.iter().map(|file| Values::File(format!("{folder}/{file}"))).collect(),
            set: self.set.clone(),
            set_string: self.set_string.clone(),
            set_file: self.set_file.clone(),
            set_json: self.set_json.clone(),
            set_literal: self.set_literal.clone(),
            folder: Some(folder.to_owned()),
            include_crds: self.include_crds,
            skip_tests: self.skip_tests,
            skip_schema_validation: self.skip_schema_validation,
        }
    }

    fn kustomize(&self) -> Kustomize {
        Kustomize {
            folder: format!("kustomize/{}", self.name),
            name_prefix: self.name_prefix.clone(),
            name_suffix: self.name_suffix.clone(),
            namespace: self.namespace.clone().unwrap_or_default(),
            images: self.images.clone(),
            replicas: self.replicas.clone(),
            common_labels: self.common_labels.clone(),
            label_without_selector: self.label_without_selector,
            label_include_templates: self.label_include_templates,
            common_annotations: self.common_annotations.clone(),
            force_common_annotations: self.force_common_annotations,
            components: self.components.clone(),
            load_restrictions_none: self.load_restrictions_none,
            ..Kustomize::default()
        }
    }

    fn jsonnet(&self) -> Jsonnet {
        let variables =
            |given: &[(String, String, bool)]| given.iter().cloned().map(|(name, value, code)| Variable { name, value, code }).collect();
        Jsonnet {
            file: format!("jsonnet/{}", self.name),
            ext_vars: variables(&self.ext_vars),
            tlas: variables(&self.tlas),
            libs: self.libs.iter().map(|lib| format!("jsonnet/{lib}")).collect(),
        }
    }
}

fn main() {
    let arguments = Arguments::from_args();
    if !fedward_render::available() {
        assert!(env::var_os("CI").is_none(), "this build has no renderers");
        println!("this build has no renderers: nothing to test");
        return;
    }
    let renderer = Arc::new(Renderer::open(&ROOT).unwrap());
    let mut trials = Vec::new();
    let mut charts: Vec<_> = fs::read_dir(ROOT.join("helm")).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    charts.sort();
    for chart in charts {
        let folder = format!("helm/{}", chart.to_str().unwrap());
        for case in cases(&folder) {
            let source = Source::Helm(case.helm(&folder));
            trials.push(trial(&renderer, &folder, source, case));
        }
    }
    for case in cases("kustomize") {
        let source = Source::Kustomize(case.kustomize());
        trials.push(trial(&renderer, "kustomize", source, case));
    }
    for case in cases("jsonnet") {
        let source = Source::Jsonnet(case.jsonnet());
        trials.push(trial(&renderer, "jsonnet", source, case));
    }
    libtest_mimic::run(&arguments, trials).exit();
}

fn cases(folder: &str) -> Vec<Case> {
    let file = ROOT.join(folder).join("cases.json");
    serde_json::from_str(&fs::read_to_string(&file).unwrap()).unwrap_or_else(|error| panic!("{}: {error}", file.display()))
}

fn trial(renderer: &Arc<Renderer>, folder: &str, source: Source, case: Case) -> Trial {
    let (renderer, folder) = (renderer.clone(), folder.to_owned());
    let name = case.alias.clone().unwrap_or_else(|| case.name.clone());
    let extension = if case.fails { "txt" } else { "yaml" };
    let expected = ROOT.join(&folder).join("expected").join(format!("{}.{extension}", name.replace(['/', ' '], "-")));
    Trial::test(format!("{folder}: {name}"), move || {
        let ours = rendered(&renderer, &source, case.fails)?;
        let peer = Peer::of(&source);
        let theirs = peer.as_ref().and_then(|peer| peer.run(&ROOT, &source));
        if env::var_os("UPDATE_EXPECT").is_some() {
            fs::create_dir_all(expected.parent().unwrap())?;
            // A message is ours, since the peer's has more in it.
            let written = theirs.as_ref().filter(|_| !case.fails).unwrap_or(&ours);
            fs::write(&expected, written)?;
        }
        let wanted =
            fs::read_to_string(&expected).map_err(|error| format!("{}: {error} (UPDATE_EXPECT=1 writes it)", expected.display()))?;
        same("ours", &ours, &wanted)?;
        match (theirs, peer) {
            (Some(theirs), _) if case.fails => {
                let said = wanted.trim_end();
                // Of an endless message we leave out the middle.
                let has_all = said.split(" … ").filter(|part| !part.ends_with("more characters)")).all(|part| theirs.contains(part));
                if has_all || (case.ours && theirs.starts_with("Error: ")) {
                    Ok(())
                } else {
                    Err(format!("the peer says\n{theirs}\nand we say\n{said}").into())
                }
            }
            (Some(theirs), _) => same("the peer's", &theirs, &wanted),
            (None, Some(peer)) if env::var_os("CI").is_some() => Err(format!("{peer} is not on the PATH").into()),
            (None, Some(peer)) => {
                println!("{peer} is not on the PATH: not compared with it");
                Ok(())
            }
            (None, None) => Ok(()),
        }
    })
}

/// The output, or the message where it must fail.
fn rendered(renderer: &Renderer, source: &Source, fails: bool) -> Result<String, Failed> {
    match renderer.render(source) {
        Outcome::Rendered(rendered) if !fails => {
            for document in &rendered.documents {
                let mut files = document.file.iter().chain(&document.changed_by);
                if let Some(file) = files.find(|file| !ROOT.join(file).is_file()) {
                    return Err(format!("a document is said to come from {file}, which is no file").into());
                }
                if document.file.is_none() && !document.text.trim().is_empty() {
                    return Err(format!("nobody knows where this comes from:\n{}", document.text).into());
                }
            }
            Ok(rendered.text())
        }
        Outcome::Failed(failed) if fails => Ok(format!("{}\n", failed.message)),
        other => Err(format!("{other:?}").into()),
    }
}

fn same(whose: &str, is: &str, wanted: &str) -> Result<(), Failed> {
    if is == wanted {
        return Ok(());
    }
    let line = is.lines().zip(wanted.lines()).take_while(|(is, wanted)| is == wanted).count();
    let [is, wanted] = [is, wanted].map(|text| text.lines().skip(line).take(5).collect::<Vec<_>>().join("\n"));
    Err(format!("{whose} differs from line {} on:\n{is}\ninstead of\n{wanted}", line + 1).into())
}
