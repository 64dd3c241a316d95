//! Where the modules of policy manifests are: built in, in files, in kwctl's store. Nothing is fetched.

use std::fs;
use std::path::{Component, Path, PathBuf};
use std::sync::{Mutex, OnceLock};

use fedward_config::{ModulePlace, words};
use fedward_engine::{Found, Modules};
use fedward_host::Cache;
use fedward_report::printable;

use crate::outputs;

/// A module larger than this is not read; the host refuses it anyway.
const MAX_MODULE: u64 = 128 << 20;

/// Modules by their references.
pub(crate) struct Store {
    /// What the configuration says of references.
    places: Vec<(String, ModulePlace)>,
    /// What `file://` may read.
    roots: Roots,
    /// kwctl's store.
    kwctl: Option<PathBuf>,
    /// Whether the input's policy manifests run, so that something may be left out.
    runs_input: bool,
    /// What compiling modules costs, or why it is not kept.
    cache: OnceLock<Result<Cache, String>>,
}

/// Folders, without links, that texts of the input may name files in.
pub(crate) struct Roots {
    folders: Vec<PathBuf>,
    /// What was named in them and is there, without links.
    read: Mutex<Vec<PathBuf>>,
}

impl Roots {
    /// Those of the paths of a command line.
    pub(crate) fn new(paths: &[PathBuf]) -> Self {
        let real = paths.iter().filter_map(|root| root.canonicalize().ok());
        // A file that is named stands for its folder: a policy lies beside its module.
        let folders = real.map(|root| if root.is_dir() { root } else { root.parent().map(Path::to_owned).unwrap_or(root) });
        Roots { folders: folders.collect(), read: Mutex::default() }
    }

    /// A path without links, if it is in one of them.
    ///
    /// # Errors
    /// There is no such file.
    pub(crate) fn contains(&self, path: &Path) -> Result<Option<PathBuf>, String> {
        let real = path.canonicalize().map_err(|error| format!("cannot read `{}`: {}", path.display(), words::io(&error)))?;
        let found = self.folders.iter().any(|root| real.starts_with(root)).then_some(real);
        if let Ok(mut read) = self.read.lock() {
            read.extend(found.clone());
        }
        Ok(found)
    }

    /// What was named in them so far: no output may replace it.
    pub(crate) fn read(&self) -> outputs::Inputs {
        outputs::Inputs::of(self.read.lock().map(|read| read.clone()).unwrap_or_default())
    }
}

impl Store {
    /// `roots` are what the command line names: a manifest may name modules in them, and nowhere else.
    /// `runs_input` is whether policy manifests of the input run, not only those that the command line names.
    pub(crate) fn new(places: Vec<(String, ModulePlace)>, roots: &[PathBuf], runs_input: bool) -> Self {
        let kwctl = caches().map(|folder| folder.join("kubewarden/store"));
        Store { places, roots: Roots::new(roots), kwctl, runs_input, cache: OnceLock::new() }
    }

    /// The files below the roots that manifests named: no output may replace them.
    pub(crate) fn read(&self) -> outputs::Inputs {
        self.roots.read()
    }

    fn file(&self, path: &str, manifest: &str) -> Result<PathBuf, String> {
        let wanted = Path::new(manifest).parent().unwrap_or(Path::new("")).join(path);
        self.roots.contains(&wanted)?.ok_or_else(|| {
            format!(
                "`{}` is outside of what is checked; name its folder on the command line, or the file under `modules` in fedward.yaml",
                wanted.display()
            )
        })
    }

    fn stored(&self, scheme: &str, rest: &str, reference: &str) -> Result<PathBuf, String> {
        let missing = || {
            let without = if self.runs_input { "; --policies builtin leaves policy manifests out" } else { "" };
            format!(
                "it is not in kwctl's store (nothing is fetched here): `kwctl pull {reference}` puts it there, or name its file under `modules` in fedward.yaml{without}"
            )
        };
        let rest = Path::new(rest);
        if rest.components().any(|part| !matches!(part, Component::Normal(_))) {
            return Err("not a reference to a module".to_owned());
        }
        let mut path = self.kwctl.as_ref().ok_or_else(missing)?.join(scheme).join(rest);
        if scheme == "registry" && !path.is_file() {
            // Without a tag it is `latest`, as for kwctl.
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            if !name.contains([':', '@']) {
                path.set_file_name(format!("{name}:latest"));
            }
        }
        if path.is_file() { Ok(path) } else { Err(missing()) }
    }
}

impl Modules for Store {
    fn find(&self, reference: &str, manifest: &str) -> Result<Found, String> {
        let (scheme, rest) = reference.split_once("://").unwrap_or(("registry", reference));
        let short = if scheme == "registry" { rest } else { reference };
        if let Some((_, place)) = self.places.iter().find(|(known, _)| known == reference || known == short) {
            return match place {
                ModulePlace::Builtin(id) => builtin(id).ok_or_else(|| format!("no such policy: `{id}`")),
                ModulePlace::File(path) => read(path),
            };
        }
        if let Some(found) = builtin(short) {
            return Ok(found);
        }
        if scheme == "registry" && !short.contains(['/', '.', ':']) {
            let near = words::did_you_mean(short, fedward_modules::ALL.iter().map(|builtin| builtin.id));
            return Err(format!("there is no built-in policy `{short}`{near}, and what is not built in has a registry in its reference"));
        }
        match scheme {
            "file" => read(&self.file(rest, manifest)?),
            "registry" | "https" | "http" => read(&self.stored(scheme, rest, reference)?),
            _ => Err("only `registry://`, `https://`, `http://` and `file://` exist".to_owned()),
        }
    }

    fn cache(&self) -> Option<&Cache> {
        let open = || {
            let caches = caches().ok_or("neither `XDG_CACHE_HOME` nor `HOME` is a folder")?;
            Cache::open(caches.join("fedward/modules")).map_err(|error| error.to_string())
        };
        self.cache.get_or_init(open).as_ref().ok()
    }
}

/// Says on standard error why compiled modules, or the unpacked renderers, were not kept for the next run, if they were not. That costs time and
/// nothing else, and a home that nobody can write to is usual in CI: so it is told only to who wants to know.
pub(crate) fn tell(store: &Store) {
    let modules = store.cache.get().and_then(|cache| cache.as_ref().map_or_else(|why| Some(why.clone()), Cache::problem));
    for (what, why) in
        [("what compiling modules costs", modules), ("the unpacked renderers", fedward_render::not_kept().map(str::to_owned))]
    {
        if let Some(why) = why {
            anstream::eprintln!("note: nothing keeps {what} for the next run: {}", printable(&why));
        }
    }
}

fn builtin(id: &str) -> Option<Found> {
    fedward_modules::module(id).map(Found::Builtin)
}

fn read(path: &Path) -> Result<Found, String> {
    let fail = |error: &std::io::Error| format!("cannot read `{}`: {}", path.display(), words::io(error));
    let length = fs::metadata(path).map_err(|error| fail(&error))?;
    if !length.is_file() || length.len() > MAX_MODULE {
        return Err(format!("`{}` is no file, or larger than {} MiB", path.display(), MAX_MODULE >> 20));
    }
    fs::read(path).map(Found::Wasm).map_err(|error| fail(&error))
}

/// The user's folder of caches, as the XDG base directory specification has it.
pub(crate) fn caches() -> Option<PathBuf> {
    let set = |name| std::env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    set("XDG_CACHE_HOME").or_else(|| Some(set("HOME")?.join(".cache")))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use super::*;

    fn names(store: &Store, reference: &str) -> Result<&'static str, String> {
        store.find(reference, "policies/a.yaml").map(|found| match found {
            Found::Builtin(builtin) => builtin.id,
            Found::Wasm(_) => "a file",
        })
    }

    #[test]
    fn references() {
        let folder = tempfile::tempdir().unwrap();
        let inside = folder.path().join("inside");
        let stored = folder.path().join("kubewarden/store/registry/registry.example/policies");
        fs::create_dir_all(&inside).unwrap();
        fs::create_dir_all(&stored).unwrap();
        for file in [inside.join("a.wasm"), folder.path().join("b.wasm"), stored.join("c:v1"), stored.join("d:latest")] {
            fs::write(file, "").unwrap();
        }
        let places = vec![
            ("registry://registry.example/fedward/labels:v1".to_owned(), ModulePlace::Builtin("require-identity-labels".to_owned())),
            ("registry.example/other:v1".to_owned(), ModulePlace::File(folder.path().join("b.wasm"))),
        ];
        let mut store = Store::new(places, std::slice::from_ref(&inside), true);
        store.kwctl = Some(folder.path().join("kubewarden/store"));
        let file = |path: &Path| format!("file://{}", path.display());
        assert_eq!(names(&store, "registry://enforce-audience-issuer"), Ok("enforce-audience-issuer"));
        assert_eq!(names(&store, "registry://registry.example/fedward/labels:v1"), Ok("require-identity-labels"));
        assert_eq!(names(&store, "registry://registry.example/other:v1"), Ok("a file"));
        assert_eq!(names(&store, &file(&inside.join("a.wasm"))), Ok("a file"));
        assert_eq!(names(&store, "registry://registry.example/policies/c:v1"), Ok("a file"));
        assert_eq!(names(&store, "registry://registry.example/policies/d"), Ok("a file"));
        for (reference, why) in [
            (file(&folder.path().join("b.wasm")), "outside of what is checked"),
            (file(&inside.join("../b.wasm")), "outside of what is checked"),
            ("file://nothing.wasm".to_owned(), "cannot read"),
            ("registry://registry.example/policies/c:v2".to_owned(), "kwctl pull registry://registry.example/policies/c:v2"),
            ("registry://../../b.wasm".to_owned(), "not a reference"),
            ("https:///etc/passwd".to_owned(), "not a reference"),
            ("require-identity-label".to_owned(), "no built-in policy `require-identity-label` (did you mean `require-identity-labels`?)"),
            ("registry://zzz".to_owned(), "no built-in policy `zzz`, and what is not built in has a registry"),
            ("ftp://registry.example/c".to_owned(), "only `registry://`, `https://`, `http://` and `file://` exist"),
            ("http://registry.example/c".to_owned(), "leaves policy manifests out"),
        ] {
            let error = names(&store, &reference).unwrap_err();
            assert!(error.contains(why), "{reference}: {error}");
        }
        store.runs_input = false;
        let error = names(&store, "http://registry.example/c").unwrap_err();
        assert!(error.ends_with("under `modules` in fedward.yaml"), "{error}");
    }
}
