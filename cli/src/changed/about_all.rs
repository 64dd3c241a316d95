//! What is judged otherwise, all of it, if one of some files changes: how a run is set up, policies, and what is only looked at.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use fedward_config::{FILE_NAME, Loaded, ModulePlace};
use fedward_engine::{Input, Role};
use fedward_gitops::Changed;
use memchr::memmem;

use crate::args::Check;
use crate::inputs::{self, Inputs};
use crate::old;
use crate::setup::settings_files;

/// What the text of a policy has in it.
const POLICIES: &[u8] = b"policies.kubewarden.io/";

/// What the text of a role or a binding has in it.
const RBAC: &[u8] = b"rbac.authorization.k8s.io/";

/// What objects, and what they are rendered from, are called.
const EXTENSIONS: [&str; 6] = ["yaml", "yml", "json", "tpl", "jsonnet", "libsonnet"];

/// Whether a change touches something that everything depends on.
pub(super) fn is_touched(changed: &Changed, args: &Check, loaded: &Loaded, read: &Inputs) -> bool {
    let judged = read.judged.iter().filter(|(real, _)| changed.touches(real)).map(|(_, name)| name.as_str()).collect();
    let about = AboutAll { changed, args, read, judged, folders: Folders::new(args, loaded) };
    about.named(loaded).any(|file| about.touches(&file))
        || read.files.iter().any(|file| about.input(file))
        || about.modules().any(|file| about.touches(&file))
        || about.is_otherwise_than_before()
}

struct AboutAll<'a> {
    changed: &'a Changed,
    args: &'a Check,
    read: &'a Inputs,
    /// The names of what is judged and is touched.
    judged: HashSet<&'a str>,
    folders: Folders,
}

/// What the command line and the configuration name, without links.
struct Folders {
    judged: Vec<PathBuf>,
    /// What decides about all that is judged.
    context: Vec<PathBuf>,
    policies: Vec<PathBuf>,
}

impl Folders {
    fn new(args: &Check, loaded: &Loaded) -> Self {
        let real = |paths: &[PathBuf]| paths.iter().filter_map(|path| path.canonicalize().ok()).collect();
        Folders { judged: real(&args.input.paths), context: real(&inputs::context(&args.input, loaded)), policies: real(&args.policies) }
    }
}

impl AboutAll<'_> {
    /// The configuration, and the files that it and the command line name for all that is judged.
    fn named(&self, loaded: &Loaded) -> impl Iterator<Item = PathBuf> {
        let known = &self.args.argocd.known;
        let modules = loaded.modules(&crate::commands::descriptors()).into_iter().filter_map(|(_, place)| match place {
            ModulePlace::File(file) => Some(file),
            ModulePlace::Builtin(_) => None,
        });
        let given: Vec<PathBuf> = loaded.file.iter().chain(&known.clusters).chain(&known.generators).cloned().collect();
        given.into_iter().chain(settings_files(&self.args.settings)).chain(modules)
    }

    /// Whether a file of the repository is touched. One that is not there is if it was.
    fn touches(&self, file: &Path) -> bool {
        let root = self.changed.root();
        if let Ok(real) = file.canonicalize() {
            return real.starts_with(root) && self.changed.touches(&real);
        }
        // As much of the way to it as there is has no links.
        let there = Path::new(".").join(file);
        let real = there.ancestors().find_map(|above| Some(above.canonicalize().ok()?.join(there.strip_prefix(above).ok()?)));
        let inside = real.as_ref().and_then(|real| real.strip_prefix(root).ok());
        inside.is_some_and(|inside| self.changed.files().any(|(name, _)| Path::new(name) == inside))
    }

    /// Whether an input is touched, and is no object among others.
    fn input(&self, file: &Input) -> bool {
        match file.role {
            Role::Judged => self.judged.contains(file.name.as_str()) && is_in(POLICIES, &file.bytes),
            Role::Policies | Role::Context => self.touches(Path::new(&file.name)),
            _ => false,
        }
    }

    /// The files of modules that policies name.
    fn modules(&self) -> impl Iterator<Item = PathBuf> {
        let policies = self.read.files.iter().filter(|file| match file.role {
            Role::Judged => is_in(POLICIES, &file.bytes),
            role => role == Role::Policies,
        });
        policies.flat_map(|file| {
            let folder = Path::new(&file.name).parent().unwrap_or(Path::new(""));
            let text = String::from_utf8_lossy(&file.bytes).into_owned();
            let ends = |letter: char| letter.is_whitespace() || matches!(letter, '"' | '\'' | ',' | '}');
            let named: Vec<PathBuf> =
                text.split("file://").skip(1).filter_map(|rest| rest.split(ends).next()).map(|name| folder.join(name)).collect();
            named
        })
    }

    /// Whether a file of the repository that differs was, or now is, one that decides about others; or is gone, and was such a one.
    fn is_otherwise_than_before(&self) -> bool {
        let (mut before, deploys) = (Vec::new(), self.deploys());
        // The configuration lies above the first path.
        let first = self.folders.judged.first().filter(|_| self.args.input.config.is_none());
        for (name, was_there) in self.changed.files() {
            let file = self.changed.root().join(name);
            let is_gone = file.symlink_metadata().is_err();
            let extension = file.extension().and_then(|extension| extension.to_str()).unwrap_or_default();
            let is_text = EXTENSIONS.contains(&extension);
            let is_in = |folders: &[PathBuf]| folders.iter().any(|folder| file.starts_with(folder));
            let decided = is_text && is_in(&self.folders.context) || (is_text || extension == "wasm") && is_in(&self.folders.policies);
            let is_config = file.file_name().is_some_and(|name| name == FILE_NAME)
                && file.parent().is_some_and(|folder| first.is_some_and(|first| first.starts_with(folder)));
            if is_gone && (decided || is_config) {
                return true;
            }
            if is_text && (is_in(&self.folders.judged) || deploys) {
                if inputs::small(&file).is_ok_and(|bytes| self::is_in(POLICIES, &bytes)) {
                    return true;
                }
                before.extend(was_there.then_some((name, is_gone)));
            }
        }
        let decides = |is_gone: bool, bytes: &[u8]| is_in(POLICIES, bytes) || is_gone && is_in(RBAC, bytes);
        // What Git does not show may have been such a file.
        old::any(self.changed.root(), self.changed.base(), &before, decides).unwrap_or(true)
    }

    /// Whether Applications may deploy any file of the repository.
    fn deploys(&self) -> bool {
        let argocd = &self.args.argocd;
        !argocd.no_argocd && (argocd.argocd.is_some() || self.read.files.iter().any(|file| is_in(b"argoproj.io/", &file.bytes)))
    }
}

fn is_in(word: &[u8], bytes: &[u8]) -> bool {
    memmem::find(bytes, word).is_some()
}
