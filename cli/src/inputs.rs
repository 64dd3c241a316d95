//! Which files are read: walking as people expect it, never out of the given roots.

use std::collections::{HashMap, HashSet};
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Result;
use fedward_config::words;
use fedward_engine::{Input, Role};
use fedward_outcome::{Skipped, Unread};
use ignore::{DirEntry, WalkBuilder};

use crate::charts::{self, Charts};
use crate::filter::{Below, Filter};
use crate::setup::unreadable;

/// A file larger than this is not read: no manifest is.
const MAX_FILE: u64 = 512 << 20;

/// What the command line and the configuration ask for.
#[derive(Default)]
pub(crate) struct Request<'a> {
    pub(crate) paths: &'a [PathBuf],
    pub(crate) context: &'a [PathBuf],
    /// What is applied already.
    pub(crate) old: &'a [PathBuf],
    /// Policies.
    pub(crate) policies: &'a [PathBuf],
    pub(crate) stdin_filename: &'a str,
    /// Globs of the command line, relative to the folder that is walked.
    pub(crate) include: &'a [String],
    pub(crate) exclude: &'a [String],
    /// Globs of the configuration, relative to `folder`.
    pub(crate) config_include: &'a [String],
    pub(crate) config_exclude: &'a [String],
    /// The folder of the configuration.
    pub(crate) folder: Option<&'a Path>,
    /// Whether hidden files are read.
    pub(crate) hidden: bool,
    /// Whether `.gitignore` and `.ignore` count.
    pub(crate) gitignore: bool,
    /// Files that are no input: the configuration, the outputs.
    pub(crate) own: Vec<PathBuf>,
}

/// What was read.
#[derive(Debug, Default)]
pub(crate) struct Inputs {
    pub(crate) files: Vec<Input>,
    pub(crate) skipped: Vec<Skipped>,
    pub(crate) unread: Vec<Unread>,
    /// The files that are judged, without links.
    pub(crate) judged: HashSet<PathBuf>,
    /// The path of a file relative to the folder of the configuration, by the name that outputs show, where the two differ.
    pub(crate) config_names: HashMap<String, String>,
    /// The folder of the Helm chart that a file is a template of, by the name that outputs show, as outputs show it.
    pub(crate) templates: HashMap<String, String>,
}

/// Reads everything asked for, in the order asked for, folders sorted by path. A file is read once, however often it is named.
///
/// What is named and cannot be read is an error; what is met on the way and cannot be read is listed.
pub(crate) fn read(request: &Request<'_>) -> Result<Inputs> {
    let own: HashSet<PathBuf> = request.own.iter().filter_map(|file| file.canonicalize().ok()).collect();
    let mut reader = Reader {
        filter: Filter::new(request)?,
        request,
        inputs: Inputs::default(),
        seen: own.clone(),
        stdin_is_read: false,
        charts: Charts::default(),
    };
    let groups =
        [(request.paths, Role::Judged), (request.context, Role::Context), (request.policies, Role::Policies), (request.old, Role::Old)];
    for (paths, role) in groups {
        // What is judged may be applied already, and hold policies, too.
        if matches!(role, Role::Policies | Role::Old) {
            reader.seen.clone_from(&own);
        }
        for path in paths {
            if path == Path::new("-") {
                reader.stdin(role)?;
            } else if path.is_dir() {
                reader.walk(path, role)?;
            } else {
                reader.file(path, true, role).map_err(|error| unreadable(path, &error))?;
            }
        }
    }
    Ok(reader.inputs)
}

struct Reader<'a> {
    filter: Filter,
    request: &'a Request<'a>,
    inputs: Inputs,
    seen: HashSet<PathBuf>,
    stdin_is_read: bool,
    charts: Charts,
}

impl Reader<'_> {
    fn stdin(&mut self, role: Role) -> Result<()> {
        if std::mem::replace(&mut self.stdin_is_read, true) {
            return Ok(());
        }
        let bytes = bounded(io::stdin().lock()).map_err(|error| anyhow::anyhow!("cannot read standard input: {}", words::io(&error)))?;
        self.inputs.files.push(Input { name: self.request.stdin_filename.to_owned(), bytes, named: true, role });
        Ok(())
    }

    fn walk(&mut self, root: &Path, role: Role) -> Result<()> {
        let canonical = root.canonicalize().map_err(|error| unreadable(root, &error))?;
        fs::read_dir(root).map_err(|error| unreadable(root, &error))?;
        // Globs choose among what is checked; a folder of policies is meant as it is.
        let below = Arc::new(if matches!(role, Role::Policies) { Below::default() } else { self.filter.below(&canonical) });
        let (own_root, own_below) = (root.to_owned(), Arc::clone(&below));
        let enters = move |entry: &DirEntry| {
            let relative = entry.path().strip_prefix(&own_root).unwrap_or(entry.path());
            entry.depth() == 0 || (own_below.enters(relative) && entry.file_name() != ".git")
        };
        // `.gitignore` counts outside a checkout, too; links are followed by hand, so that none leads out of the root.
        let walk = WalkBuilder::new(root)
            .standard_filters(self.request.gitignore)
            .hidden(!self.request.hidden)
            .require_git(false)
            .follow_links(false)
            .filter_entry(enters)
            .sort_by_file_path(Path::cmp)
            .build();
        for entry in walk {
            match entry {
                Ok(entry) => self.entry(&entry, root, &canonical, &below, role),
                Err(error) => self.broken(root, &error),
            }
        }
        Ok(())
    }

    fn entry(&mut self, entry: &DirEntry, root: &Path, canonical: &Path, below: &Below, role: Role) {
        let path = entry.path();
        let is_wanted = below.takes(path.strip_prefix(root).unwrap_or(path));
        let kind = entry.file_type();
        if kind.is_some_and(|kind| kind.is_dir()) {
            return;
        }
        if kind.is_some_and(|kind| kind.is_symlink()) {
            match path.canonicalize() {
                Ok(target) if !target.starts_with(canonical) => {
                    if is_wanted || target.is_dir() {
                        self.skip(path, "a link that leads out of the folder");
                    }
                    return;
                }
                // The walk comes by what it holds.
                Ok(target) if target.is_dir() => return,
                Ok(_) => {}
                Err(_) => {
                    if is_wanted {
                        self.skip(path, "a link that leads nowhere");
                    }
                    return;
                }
            }
        }
        if !is_wanted {
            return;
        }
        if !path.is_file() {
            self.skip(path, "not an ordinary file");
        } else if let Err(error) = self.file(path, false, role) {
            self.inputs.unread.push(Unread { file: shown(path), reason: words::io(&error) });
        }
    }

    /// Something below the root that the walk cannot enter.
    fn broken(&mut self, root: &Path, error: &ignore::Error) {
        let file = path_of(error).unwrap_or(root);
        let reason = error.io_error().map_or_else(|| error.to_string(), words::io);
        self.inputs.unread.push(Unread { file: shown(file), reason });
    }

    fn file(&mut self, path: &Path, named: bool, role: Role) -> io::Result<()> {
        // A pipe (`<(command)`) has no path of its own.
        let real = path.canonicalize().unwrap_or_else(|_| path.to_owned());
        if self.seen.contains(&real) {
            return Ok(());
        }
        let file = File::open(path)?;
        let length = file.metadata()?.len();
        if length > MAX_FILE {
            return Err(too_large());
        }
        let name = shown(path);
        let bytes = bounded(file)?;
        if let Some(chart) = self.charts.of(&real) {
            self.inputs.templates.insert(name.clone(), shown(&charts::seen_from(&name, &real, &chart)));
        }
        if let Some(relative) = self.filter.folder.as_deref().and_then(|folder| real.strip_prefix(folder).ok()).map(shown)
            && relative != name
        {
            self.inputs.config_names.insert(name.clone(), relative);
        }
        if matches!(role, Role::Judged) {
            self.inputs.judged.insert(real.clone());
        }
        self.seen.insert(real);
        self.inputs.files.push(Input { name, bytes, named, role });
        Ok(())
    }

    fn skip(&mut self, path: &Path, reason: &str) {
        self.inputs.skipped.push(Skipped { file: shown(path), line: None, reason: reason.to_owned() });
    }
}

/// All there is to read, unless it is too much: a device may have no end.
fn bounded(from: impl Read) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    from.take(MAX_FILE + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > MAX_FILE { Err(too_large()) } else { Ok(bytes) }
}

fn too_large() -> io::Error {
    io::Error::other(format!("larger than {} MiB", MAX_FILE >> 20))
}

fn path_of(error: &ignore::Error) -> Option<&Path> {
    match error {
        ignore::Error::WithPath { path, .. } => Some(path),
        ignore::Error::WithDepth { err, .. } | ignore::Error::WithLineNumber { err, .. } => path_of(err),
        ignore::Error::Loop { child, .. } => Some(child),
        _ => None,
    }
}

/// The path as outputs show it: as it was given, with `/` and without `./`.
pub(crate) fn shown(path: &Path) -> String {
    let text = path.to_string_lossy();
    let text = if cfg!(windows) { text.replace('\\', "/") } else { text.into_owned() };
    text.strip_prefix("./").map_or(text.clone(), str::to_owned)
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use std::os::unix::fs::{PermissionsExt as _, symlink};
    use std::process::Command;

    use super::*;

    /// A folder of its own, gone when the test is.
    struct Folder(PathBuf, [PathBuf; 1]);

    impl Folder {
        fn new(name: &str) -> Self {
            let path = std::env::temp_dir().join(format!("fedward-inputs-{name}-{}", std::process::id()));
            fs::create_dir_all(&path).unwrap();
            let root = [path.join("in")];
            Folder(path, root)
        }

        fn request(&self) -> Request<'_> {
            Request { paths: &self.1, gitignore: true, ..Request::default() }
        }

        fn file(&self, name: &str) -> PathBuf {
            let path = self.0.join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(&path, "kind: Pod\n").unwrap();
            path
        }

        /// The names that are read, and what is skipped and unread, as `name: reason`.
        fn read(&self, request: &Request<'_>) -> (Vec<String>, Vec<String>) {
            let inputs = read(request).unwrap();
            let short = |name: &str| name.replace(&*self.0.to_string_lossy(), "").trim_start_matches("/in/").to_owned();
            let skipped = inputs.skipped.iter().map(|skipped| format!("{}: {}", short(&skipped.file), skipped.reason));
            let unread = inputs.unread.iter().map(|unread| format!("unread {}: {}", short(&unread.file), unread.reason));
            (inputs.files.iter().map(|file| short(&file.name)).collect(), skipped.chain(unread).collect())
        }
    }

    impl Drop for Folder {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    #[test]
    fn what_cannot_be_read_on_the_way_is_listed_and_the_rest_is_read() {
        let folder = Folder::new("unread");
        folder.file("in/a.yaml");
        folder.file("in/z.yaml");
        let large = folder.file("in/large.yaml");
        fs::OpenOptions::new().write(true).open(&large).unwrap().set_len(MAX_FILE + 1).unwrap();
        let locked = folder.file("in/locked/b.yaml").parent().unwrap().to_owned();
        fs::set_permissions(&locked, fs::Permissions::from_mode(0o000)).unwrap();
        // Root reads everything.
        let is_root = fs::read_dir(&locked).is_ok();
        let (files, told) = folder.read(&folder.request());
        fs::set_permissions(&locked, fs::Permissions::from_mode(0o755)).unwrap();
        let mut expected = vec!["unread large.yaml: larger than 512 MiB"];
        if is_root {
            assert_eq!(files, ["a.yaml", "locked/b.yaml", "z.yaml"]);
        } else {
            assert_eq!(files, ["a.yaml", "z.yaml"]);
            expected.push("unread locked: permission denied");
        }
        assert_eq!(told, expected);
    }

    #[test]
    fn links_stay_in_the_folder() {
        let folder = Folder::new("links");
        folder.file("in/a.yaml");
        folder.file("in/sub/b.yaml");
        folder.file("out/c.yaml");
        symlink("a.yaml", folder.0.join("in/again.yaml")).unwrap();
        symlink("sub", folder.0.join("in/subagain")).unwrap();
        symlink("../out", folder.0.join("in/outside")).unwrap();
        symlink("../out/c.yaml", folder.0.join("in/c.yaml")).unwrap();
        symlink("nowhere", folder.0.join("in/gone.yaml")).unwrap();
        let (files, told) = folder.read(&folder.request());
        assert_eq!(files, ["a.yaml", "sub/b.yaml"]);
        assert_eq!(
            told,
            [
                "c.yaml: a link that leads out of the folder",
                "gone.yaml: a link that leads nowhere",
                "outside: a link that leads out of the folder"
            ]
        );
    }

    #[test]
    fn a_pipe_is_read_only_where_it_is_named() {
        let folder = Folder::new("pipe");
        folder.file("in/a.yaml");
        let pipe = folder.0.join("in/pipe.yaml");
        assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
        symlink("pipe.yaml", folder.0.join("in/link.yaml")).unwrap();
        let (files, told) = folder.read(&folder.request());
        assert_eq!(files, ["a.yaml"]);
        assert_eq!(told, ["link.yaml: not an ordinary file", "pipe.yaml: not an ordinary file"]);
        let writer = pipe.clone();
        let writer = std::thread::spawn(move || fs::write(writer, "kind: Pod\n"));
        assert_eq!(folder.read(&Request { paths: &[pipe], ..folder.request() }).0, ["pipe.yaml"]);
        writer.join().unwrap().unwrap();
    }

    #[test]
    fn charts_are_found_above_what_is_named_but_not_above_the_repository() {
        let folder = Folder::new("charts");
        for name in ["Chart.yaml", "in/templates/Chart.yaml", "in/templates/templates/a.yaml", "in/templates/b.yaml", "in/c.yaml"] {
            folder.file(name);
        }
        let templates = || {
            let inputs = read(&folder.request()).unwrap();
            let mut names: Vec<String> = inputs.templates.into_keys().map(|name| name.rsplit_once("/in/").unwrap().1.to_owned()).collect();
            names.sort_unstable();
            names
        };
        assert_eq!(templates(), ["templates/templates/a.yaml"]);
        folder.file("in/Chart.yaml");
        assert_eq!(templates(), ["templates/Chart.yaml", "templates/b.yaml", "templates/templates/a.yaml"]);
        fs::create_dir_all(folder.0.join("in/templates/.git")).unwrap();
        assert_eq!(templates(), ["templates/templates/a.yaml"]);
    }

    #[test]
    fn hidden_and_ignored_files_are_read_on_demand() {
        let folder = Folder::new("hidden");
        for name in ["a.yaml", ".hidden.yaml", ".git/config.yaml", "build/b.yaml", "c.txt"] {
            folder.file(&format!("in/{name}"));
        }
        fs::write(folder.0.join("in/.gitignore"), "build/\n").unwrap();
        assert_eq!(folder.read(&folder.request()).0, ["a.yaml"]);
        assert_eq!(folder.read(&Request { hidden: true, ..folder.request() }).0, [".hidden.yaml", "a.yaml"]);
        assert_eq!(folder.read(&Request { gitignore: false, ..folder.request() }).0, ["a.yaml", "build/b.yaml"]);
    }

    #[test]
    fn globs_of_the_configuration_are_relative_to_its_folder() {
        let folder = Folder::new("globs");
        for name in ["in/a.yaml", "in/vendor/b.yaml", "in/other/c.yaml"] {
            folder.file(name);
        }
        let exclude = ["in/vendor".to_owned()];
        let own = ["other/*".to_owned()];
        let files = folder.read(&Request { config_exclude: &exclude, folder: Some(&folder.0), ..folder.request() });
        assert_eq!(files.0, ["a.yaml", "other/c.yaml"]);
        assert_eq!(folder.read(&Request { include: &own, ..folder.request() }).0, ["other/c.yaml"]);
        assert_eq!(folder.read(&Request { exclude: &own, ..folder.request() }).0, ["a.yaml", "vendor/b.yaml"]);
    }

    #[test]
    fn globs_do_not_choose_among_policies() {
        let folder = Folder::new("policies");
        for name in ["in/a.yaml", "policies/a.yaml", "policies/below/b.yaml"] {
            folder.file(name);
        }
        let policies = [folder.0.join("policies")];
        let (exclude, include) = (["policies".to_owned(), "**/below".to_owned()], ["in/*".to_owned()]);
        let request = Request {
            policies: &policies,
            exclude: &exclude,
            config_include: &include,
            config_exclude: &exclude,
            folder: Some(&folder.0),
            ..folder.request()
        };
        assert_eq!(folder.read(&request).0, ["a.yaml", "/policies/a.yaml", "/policies/below/b.yaml"]);
    }
}
