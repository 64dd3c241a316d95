//! Where outputs go. Every file is opened before the run, so that a wrong path costs no run, and takes its name only when all are written.

use std::collections::HashSet;
use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use anyhow::{Result, anyhow, bail};
use fedward_config::words;
use fedward_gitops::{Checkout, Limits};

use crate::replaced::Folders;

/// The output formats of a command.
pub(crate) trait Format: Copy + 'static {
    /// All of them, by name, in the order in which they are told.
    const ALL: &'static [(&'static str, Self)];
}

/// A format, and the file that it goes to; none for standard output.
pub(crate) type Wanted<F> = (F, Option<PathBuf>);

/// What `--format` and `--output` ask for.
pub(crate) fn wanted<F: Format>(formats: &[String], output: Option<&Path>) -> Result<Vec<Wanted<F>>> {
    let mut wanted: Vec<(&str, F, Option<PathBuf>)> = Vec::new();
    for text in formats {
        let (name, file) = text.split_once('=').map_or((text.as_str(), None), |(name, file)| (name, Some(file)));
        let Some((name, format)) = F::ALL.iter().copied().find(|(known, _)| *known == name) else {
            let names: Vec<String> = F::ALL.iter().map(|(known, _)| format!("`{known}`")).collect();
            let (last, others) = names.split_last().map(|(last, others)| (last.as_str(), others.join(", "))).unwrap_or_default();
            bail!("no such format: `{name}` ({others} or {last})");
        };
        if file == Some("") {
            bail!("`--format {text}` names no file after `=`");
        }
        wanted.push((name, format, file.filter(|file| *file != "-").map(PathBuf::from)));
    }
    if let Some(output) = output.filter(|output| *output != Path::new("-")) {
        if output.as_os_str().is_empty() {
            bail!("`--output` names no file");
        }
        if let Some((format, _)) = F::ALL.iter().find(|(name, _)| output == Path::new(name)) {
            bail!("`--output {format}` names a file: `--format {format}` is the format (a file of that name is `./{format}`)");
        }
        match wanted.iter_mut().find(|(.., file)| file.is_none()) {
            Some((.., file)) => *file = Some(output.to_owned()),
            None => bail!("`--output {}` has no format: each `--format` names a file already", output.display()),
        }
    }
    let mut on_stdout = wanted.iter().filter(|(.., file)| file.is_none()).map(|(name, ..)| *name);
    if let (Some(_), Some(second)) = (on_stdout.next(), on_stdout.next()) {
        bail!("only one format can go to standard output: give the others a file, as in `--format {second}=FILE`");
    }
    Ok(wanted.into_iter().map(|(_, format, file)| (format, file)).collect())
}

/// An output that is open.
#[derive(Debug)]
pub(crate) struct Output<F> {
    format: F,
    target: Target,
}

#[derive(Debug)]
enum Target {
    Stdout,
    /// A device, a pipe, or a file that nothing can be moved to: written as it is.
    Direct {
        name: PathBuf,
        file: File,
    },
    /// Written beside its place, and moved there at the end.
    Moved {
        name: PathBuf,
        place: PathBuf,
        temporary: Temporary,
        file: File,
    },
}

/// A file that is deleted unless it was moved.
#[derive(Debug)]
struct Temporary(PathBuf);

impl Drop for Temporary {
    fn drop(&mut self) {
        // It is gone after a move, and nothing can be done about a folder that vanished.
        let _ = fs::remove_file(&self.0);
    }
}

/// Writes a whole text to standard output: every command's answer that is no [`Output`] goes through here, so that all say the same if it cannot
/// be written. Colours are dropped where they are not wanted.
pub(crate) fn print(text: &str) -> Result<()> {
    let mut out = anstream::stdout().lock();
    on_stdout(out.write_all(text.as_bytes()).and_then(|()| out.flush()))
}

/// What came of writing to standard output.
fn on_stdout(result: io::Result<()>) -> Result<()> {
    match result {
        // Whoever reads our output stopped reading: that is their good right, and no reason for another verdict.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        Err(error) => Err(anyhow!("cannot write to standard output: {}", words::io(&error))),
        Ok(()) => Ok(()),
    }
}

/// What a run reads, none of which an output may replace. In a folder that is walked a report may stand: the walk leaves it out.
#[derive(Debug, Default)]
pub(crate) struct Inputs {
    /// Files that are named, without links.
    files: HashSet<PathBuf>,
    /// Repositories that are named, without links: any of their files may be read.
    repositories: Vec<PathBuf>,
    folders: Folders,
}

impl Inputs {
    /// Those of the paths that are files.
    pub(crate) fn of(paths: impl IntoIterator<Item = impl AsRef<Path>>) -> Self {
        Self::default().and(paths)
    }

    /// These, too.
    pub(crate) fn and(mut self, paths: impl IntoIterator<Item = impl AsRef<Path>>) -> Self {
        let real: Vec<PathBuf> = paths.into_iter().filter_map(|path| path.as_ref().canonicalize().ok()).collect();
        self.folders.walk(real.iter().cloned());
        self.files.extend(real.into_iter().filter(|path| path.is_file()));
        self
    }

    /// A folder around what is checked, any file of which may be read, too. Reports may stand there.
    pub(crate) fn and_around(mut self, folder: &Path) -> Self {
        self.folders.take(folder);
        self
    }

    /// Files that were read in such a folder, without links, too. Reports may be among them.
    pub(crate) fn and_read(mut self, files: Vec<PathBuf>) -> Self {
        self.folders.note(files);
        self
    }

    /// A folder of which no file may be an output, too.
    pub(crate) fn and_cache(mut self, folder: Option<&Path>) -> Self {
        if let Some(folder) = folder {
            self.folders.close(folder);
        }
        self
    }

    /// The files of these folders, too: what Git tracks of them, or, without Git, all.
    pub(crate) fn and_repositories(mut self, folders: impl IntoIterator<Item = PathBuf>) -> Self {
        self.repositories.extend(folders.into_iter().filter_map(|folder| folder.canonicalize().ok()));
        self
    }

    /// Refuses a file that is one of them.
    pub(crate) fn check_file(&self, name: &Path) -> Result<()> {
        name.canonicalize().map_or(Ok(()), |place| self.check(name, &place))
    }

    /// Refuses an output that would replace one of them.
    fn check(&self, name: &Path, place: &Path) -> Result<()> {
        if self.files.contains(place) {
            bail!("`{}` is an input: the output would replace it", name.display());
        }
        let is_its_file = |repository: &&PathBuf| {
            let inside = place.strip_prefix(repository).ok().filter(|_| place.is_file()).map(crate::inputs::shown);
            inside.is_some_and(|inside| Checkout::open(repository, "", &Limits::default()).is_ok_and(|all| all.is_file(&inside)))
        };
        if let Some(repository) = self.repositories.iter().find(is_its_file) {
            bail!(
                "`{}` is a file of the repository `{}`, which is an input: the output would replace it",
                name.display(),
                repository.display()
            );
        }
        self.folders.check(name, place)
    }
}

/// Refuses outputs that would replace files which were read on the way, because another file named them. Nothing was written yet.
pub(crate) fn check<F>(outputs: &[Output<F>], read: &Inputs) -> Result<()> {
    outputs.iter().try_for_each(|output| match &output.target {
        Target::Moved { name, place, .. } => read.check(name, place),
        Target::Direct { name, .. } => read.check_file(name),
        Target::Stdout => Ok(()),
    })
}

/// Opens all of them, none of which may be one of `inputs`.
pub(crate) fn open<F>(wanted: Vec<Wanted<F>>, inputs: &Inputs) -> Result<Vec<Output<F>>> {
    let mut places: Vec<PathBuf> = Vec::new();
    let mut outputs = Vec::new();
    for (format, name) in wanted {
        let Some(name) = name else {
            outputs.push(Output { format, target: Target::Stdout });
            continue;
        };
        let place = place(&name).map_err(|error| unwritable(&name, &error))?;
        inputs.check(&name, &place)?;
        if places.contains(&place) {
            bail!("two formats cannot go to one file: `{}`", name.display());
        }
        let target = target(&name, &place).map_err(|error| unwritable(&name, &error))?;
        places.push(place);
        outputs.push(Output { format, target });
    }
    Ok(outputs)
}

/// Where a file is or will be. Behind a link, the file itself is replaced, not the link.
fn place(name: &Path) -> io::Result<PathBuf> {
    if let Ok(place) = name.canonicalize() {
        return Ok(place);
    }
    let folder = name.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let file = name.file_name().ok_or(io::ErrorKind::IsADirectory)?;
    Ok(folder.canonicalize()?.join(file))
}

fn target(name: &Path, place: &Path) -> io::Result<Target> {
    let known = fs::metadata(name).ok();
    if known.as_ref().is_some_and(fs::Metadata::is_dir) {
        return Err(io::ErrorKind::IsADirectory.into());
    }
    if known.is_some() {
        // It must be writable, even though it is to be replaced.
        let file = OpenOptions::new().write(true).open(name)?;
        if !known.as_ref().is_some_and(fs::Metadata::is_file) {
            return Ok(Target::Direct { name: name.to_owned(), file });
        }
    }
    let file_name = place.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let temporary = place.with_file_name(format!(".{file_name}.{}.tmp", std::process::id()));
    let direct = || Ok(Target::Direct { name: name.to_owned(), file: OpenOptions::new().write(true).open(name)? });
    // A file that is mounted by itself, as the termination message of a container is.
    if known.as_ref().is_some_and(|known| is_mounted(known, place)) {
        return direct();
    }
    let file = match OpenOptions::new().write(true).create_new(true).open(&temporary) {
        Ok(file) => file,
        // The file may be written, its folder not.
        Err(_) if known.is_some() => return direct(),
        Err(error) => return Err(error),
    };
    let temporary = Temporary(temporary);
    if let Some(known) = known {
        fs::set_permissions(&temporary.0, known.permissions())?;
    }
    Ok(Target::Moved { name: name.to_owned(), place: place.to_owned(), temporary, file })
}

/// Whether a file lies on another file system than its folder.
#[cfg(unix)]
fn is_mounted(file: &fs::Metadata, place: &Path) -> bool {
    use std::os::unix::fs::MetadataExt as _;
    place.parent().and_then(|folder| fs::metadata(folder).ok()).is_some_and(|folder| folder.dev() != file.dev())
}

/// Whether a file lies on another file system than its folder.
#[cfg(not(unix))]
fn is_mounted(_file: &fs::Metadata, _place: &Path) -> bool {
    false
}

impl<F: Copy> Output<F> {
    /// The file, if it is one that a walk could meet.
    pub(crate) fn place(&self) -> Option<&Path> {
        if let Target::Moved { place, .. } = &self.target { Some(place) } else { None }
    }

    /// Writes with `with`, which is told whether it writes to standard output.
    pub(crate) fn write(&mut self, with: impl FnOnce(F, &mut dyn Write) -> io::Result<()>) -> Result<()> {
        let (name, file) = match &mut self.target {
            Target::Stdout => {
                let mut out = io::stdout().lock();
                return on_stdout(with(self.format, &mut out).and_then(|()| out.flush()));
            }
            Target::Direct { name, file } => {
                // What stood there must not show behind what is shorter; a device has no length.
                if file.metadata().is_ok_and(|known| known.is_file()) {
                    file.set_len(0).map_err(|error| unwritable(name, &error))?;
                }
                (name, file)
            }
            Target::Moved { name, file, .. } => (name, file),
        };
        let mut out = BufWriter::new(file);
        with(self.format, &mut out).and_then(|()| out.flush()).map_err(|error| unwritable(name, &error))
    }

    /// Whether it goes to standard output.
    pub(crate) fn is_stdout(&self) -> bool {
        matches!(self.target, Target::Stdout)
    }

    /// Gives the file its name.
    pub(crate) fn finish(self) -> Result<()> {
        match self.target {
            Target::Moved { name, place, temporary, file } => {
                drop(file);
                fs::rename(&temporary.0, place).map_err(|error| unwritable(&name, &error))
            }
            Target::Stdout | Target::Direct { .. } => Ok(()),
        }
    }
}

fn unwritable(name: &Path, error: &io::Error) -> anyhow::Error {
    anyhow!("cannot write `{}`: {}", name.display(), words::io(error))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

    use super::*;

    #[derive(Debug, Clone, Copy)]
    enum Sample {
        Human,
        Json,
        Sarif,
    }

    impl Format for Sample {
        const ALL: &'static [(&'static str, Self)] = &[("human", Sample::Human), ("json", Sample::Json), ("sarif", Sample::Sarif)];
    }

    fn told(formats: &[&str], output: Option<&str>) -> String {
        let formats: Vec<String> = formats.iter().map(|text| (*text).to_owned()).collect();
        match wanted::<Sample>(&formats, output.map(Path::new)) {
            Ok(wanted) => wanted
                .iter()
                .map(|(format, file)| format!("{format:?} {}", file.as_deref().unwrap_or(Path::new("-")).display()))
                .collect::<Vec<_>>()
                .join(", "),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn formats_and_their_files() {
        assert_eq!(told(&["human"], None), "Human -");
        assert_eq!(told(&["human"], Some("a")), "Human a");
        assert_eq!(told(&["json=a", "sarif"], Some("b")), "Json a, Sarif b");
        assert_eq!(told(&["json=-", "sarif=b"], Some("-")), "Json -, Sarif b");
        assert_eq!(told(&["json=a"], Some("b")), "`--output b` has no format: each `--format` names a file already");
        assert_eq!(told(&["json="], None), "`--format json=` names no file after `=`");
        assert_eq!(told(&["human"], Some("")), "`--output` names no file");
        assert!(told(&["human"], Some("json")).starts_with("`--output json` names a file: `--format json` is the format"));
        assert_eq!(told(&["human"], Some("./json")), "Human ./json");
        assert!(told(&["json", "sarif"], None).starts_with("only one format can go to standard output"));
        assert_eq!(told(&["toml"], None), "no such format: `toml` (`human`, `json` or `sarif`)");
    }

    /// As the termination message of a container: its folder takes no other file.
    #[cfg(target_os = "linux")]
    #[test]
    fn a_file_that_cannot_be_replaced_is_written() {
        let own = Path::new("/proc/thread-self/comm");
        let mut outputs = open(vec![((), Some(own.to_owned()))], &Inputs::default()).unwrap();
        assert_eq!(outputs[0].place(), None);
        outputs[0].write(|_, out| out.write_all(b"in place")).unwrap();
        outputs.pop().unwrap().finish().unwrap();
        assert_eq!(fs::read_to_string(own).unwrap(), "in place\n");
    }

    #[test]
    fn nothing_is_left_of_a_run_that_fails() {
        let folder = std::env::temp_dir().join(format!("fedward-outputs-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        let old = folder.join("old.json");
        fs::write(&old, "before").unwrap();
        let both = || vec![((), Some(old.clone())), ((), Some(folder.join("new.sarif")))];
        let files = || fs::read_dir(&folder).unwrap().count();

        let mut outputs = open(both(), &Inputs::default()).unwrap();
        outputs[0].write(|_, out| out.write_all(b"half")).unwrap();
        assert_eq!(files(), 3);
        drop(outputs);
        assert_eq!((fs::read_to_string(&old).unwrap().as_str(), files()), ("before", 1));

        for mut output in open(both(), &Inputs::default()).unwrap() {
            output.write(|_, out| out.write_all(b"after")).unwrap();
            output.finish().unwrap();
        }
        assert_eq!((fs::read_to_string(&old).unwrap().as_str(), files()), ("after", 2));

        assert!(open(vec![((), Some(old.clone()))], &Inputs::of([&old])).unwrap_err().to_string().contains("is an input"));
        let twice = vec![((), Some(old.clone())), ((), Some(folder.join("../").join(folder.file_name().unwrap()).join("old.json")))];
        assert!(open(twice, &Inputs::default()).unwrap_err().to_string().starts_with("two formats cannot go to one file"));
        assert_eq!(files(), 2);
        fs::remove_dir_all(folder).unwrap();
    }
}
