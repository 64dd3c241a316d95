//! What Applications deploy as inputs of the engine, in worlds of their own.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use fedward_engine::{Deployment, Input, Role};
use fedward_gitops::{Application, State};
use fedward_manifest::Source;

use crate::Deployed;
use crate::pieces::Made;

/// The inputs that are deployed, and what that means for the files that stand there.
#[derive(Debug, Default)]
pub struct Worlds {
    /// What deploys: the Applications in their order, then the folders that are rendered by themselves.
    pub deployments: Vec<Deployment>,
    /// What they deploy.
    pub inputs: Vec<Input>,
    /// Plain files that are deployed, as inputs name them: they are judged where they are deployed.
    pub plain: HashSet<String>,
    /// Files that what is deployed was rendered of, as inputs name them: nothing applies them as they stand.
    pub sources: BTreeSet<String>,
    /// The file that each rendered input was made of, by the input's name.
    pub origins: HashMap<String, String>,
    /// Inputs that something deploys which is judged, plain files among them.
    pub judged: HashSet<String>,
    /// Inputs that nothing deploys which is judged.
    pub unjudged: HashSet<String>,
    /// Files that what is left out is made of, as inputs name them: they are looked at by nobody.
    pub left_out: BTreeSet<String>,
}

impl Worlds {
    pub(crate) fn new(deployed: &Deployed) -> Self {
        let mut worlds = Worlds::default();
        let discovery = &deployed.discovery;
        // A plain file is judged once for each place that it goes to.
        let mut met: HashSet<(Arc<str>, String, String)> = HashSet::new();
        for application in &discovery.applications {
            worlds.deployments.push(Deployment {
                cluster: discovery.clusters.target(&application.destination).id().to_owned(),
                name: title(application),
                namespace: application.destination.namespace.clone(),
                is_judged: !application.is_left_out,
                is_whole: !application.is_left_out || application.state == State::Rendered,
            });
        }
        // Of a file that several deploy to one place, one that is judged counts.
        let numbered = || discovery.applications.iter().enumerate();
        let (judged, left_out): (Vec<_>, Vec<_>) = numbered().partition(|(_, application)| !application.is_left_out);
        for (number, application) in judged.into_iter().chain(left_out) {
            if !matches!(application.state, State::Rendered | State::Partial(_)) {
                continue;
            }
            let Deployment { cluster, namespace, .. } = worlds.deployments.get(number).cloned().unwrap_or_else(nowhere);
            let mut sources: HashSet<*const Source> = HashSet::new();
            for resource in &application.resources {
                let source = resource.manifest.place.source();
                if !sources.insert(Arc::as_ptr(source)) {
                    continue;
                }
                let mut name = source.name().to_string();
                let is_plain = deployed.sandbox.piece(&name).is_none();
                if is_plain {
                    name = deployed.name(&name);
                }
                if application.is_left_out { &mut worlds.unjudged } else { &mut worlds.judged }.insert(name.clone());
                if is_plain {
                    worlds.plain.insert(name.clone());
                    if !met.insert((Arc::clone(source.name()), cluster.clone(), namespace.clone())) {
                        continue;
                    }
                }
                let bytes = source.text().as_bytes().to_vec();
                worlds.inputs.push(Input { name, bytes, named: false, role: Role::Deployed(number) });
            }
        }
        worlds.unjudged.retain(|name| !worlds.judged.contains(name));
        // What somebody deploys comes in the order of all that deploys.
        worlds.inputs.sort_by_key(|input| if let Role::Deployed(number) = input.role { number } else { usize::MAX });
        let mut sources = fedward_gitops::used_files(discovery);
        let left_out = fedward_gitops::left_out_files(discovery);
        worlds.left_out = left_out.difference(&sources).map(|file| deployed.name(file)).collect();
        for loose in &deployed.loose {
            let number = worlds.deployments.len();
            // Nobody knows which cluster it goes to: one of its own.
            let deployment = Deployment { cluster: format!("{} {}", loose.kind, loose.name()), name: loose.name(), ..nowhere() };
            worlds.deployments.push(deployment);
            let Ok(manifests) = &loose.result else { continue };
            let mut met: HashSet<*const Source> = HashSet::new();
            for source in manifests.iter().map(|manifest| manifest.place.source()).filter(|source| met.insert(Arc::as_ptr(source))) {
                let bytes = source.text().as_bytes().to_vec();
                worlds.inputs.push(Input { name: source.name().to_string(), bytes, named: false, role: Role::Deployed(number) });
            }
            sources.extend(fedward_gitops::files_of(&loose.checkout, &loose.folder, loose.kind == "chart"));
        }
        for piece in deployed.sandbox.pieces() {
            if let Some(file) = &piece.file {
                worlds.origins.insert(piece.source.name().to_string(), deployed.name(&piece.checkout.shown(file)));
            }
            if let Made::Helm(release) = &piece.made {
                sources.extend(release.helm.values_files.iter().map(|file| file.name.clone()));
            }
        }
        worlds.sources = sources.into_iter().map(|file| deployed.name(&file)).collect();
        worlds
    }

    /// Takes what is deployed out of the inputs that stand there, and adds it as it is deployed. Returns how many files stand for something
    /// that is rendered of them.
    pub fn join(self, inputs: &mut Vec<Input>) -> usize {
        let before = inputs.len();
        let is_plain = |input: &Input| input.role != Role::Judged || self.plain.contains(&input.name);
        inputs.retain(|input| is_plain(input) || !self.sources.contains(&input.name));
        let rendered = before - inputs.len();
        inputs.retain(|input| is_plain(input) || !self.left_out.contains(&input.name));
        for input in inputs.iter_mut().filter(|input| input.role == Role::Judged && self.plain.contains(&input.name)) {
            input.role = Role::Aside;
        }
        inputs.extend(self.inputs);
        rendered
    }
}

/// A deployment to no cluster that anybody knows.
fn nowhere() -> Deployment {
    Deployment { cluster: String::new(), name: String::new(), namespace: String::new(), is_judged: true, is_whole: true }
}

/// What outputs call an Application.
pub(crate) fn title(application: &Application) -> String {
    if application.namespace.is_empty() { application.name.clone() } else { format!("{}/{}", application.namespace, application.name) }
}

/// The Application of a rendered text or a plain file, for each that deploys it.
pub(crate) fn deployers(deployed: &Deployed) -> HashMap<Arc<str>, Vec<usize>> {
    let mut all: HashMap<Arc<str>, Vec<usize>> = HashMap::new();
    for (number, application) in deployed.discovery.applications.iter().enumerate() {
        for resource in &application.resources {
            let name = resource.manifest.place.source().name();
            let name = deployed.names.get(&**name).map_or_else(|| Arc::clone(name), |own| Arc::from(own.as_str()));
            let entry = all.entry(name).or_default();
            if entry.last() != Some(&number) {
                entry.push(number);
            }
        }
    }
    for (number, loose) in deployed.loose.iter().enumerate() {
        for manifest in loose.result.iter().flatten() {
            let entry = all.entry(Arc::clone(manifest.place.source().name())).or_default();
            let number = deployed.discovery.applications.len() + number;
            if entry.last() != Some(&number) {
                entry.push(number);
            }
        }
    }
    all
}
