//! Time, CPU time and peak memory of whole processes.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use wait4::Wait4 as _;

use crate::process::shown;

/// A process to measure.
pub(crate) struct Case {
    /// What the table calls it.
    pub(crate) name: String,
    program: PathBuf,
    args: Vec<String>,
    /// What is removed before every run.
    fresh: Option<PathBuf>,
    samples: Vec<Sample>,
}

#[derive(Clone, Copy)]
struct Sample {
    wall: Duration,
    cpu: Duration,
    peak: u64,
}

impl Case {
    pub(crate) fn new(name: &str, program: &Path, args: &[&str]) -> Self {
        Case {
            name: name.to_owned(),
            program: program.to_path_buf(),
            args: args.iter().map(|arg| (*arg).to_owned()).collect(),
            fresh: None,
            samples: Vec::new(),
        }
    }

    /// The same, without a folder that an earlier run has left.
    pub(crate) fn without(self, folder: &Path) -> Self {
        Case { fresh: Some(folder.to_owned()), ..self }
    }

    /// Least and median wall time.
    pub(crate) fn wall(&self) -> [Duration; 2] {
        low_and_middle(self.samples.iter().map(|sample| sample.wall))
    }

    /// Least and median CPU time, of all threads.
    pub(crate) fn cpu(&self) -> [Duration; 2] {
        low_and_middle(self.samples.iter().map(|sample| sample.cpu))
    }

    /// The highest peak of resident memory, in bytes.
    pub(crate) fn peak(&self) -> u64 {
        self.samples.iter().map(|sample| sample.peak).max().unwrap_or_default()
    }

    fn run(&self) -> Result<Sample> {
        if let Some(folder) = self.fresh.as_ref().filter(|folder| folder.exists()) {
            std::fs::remove_dir_all(folder).with_context(|| format!("cannot remove `{}`", folder.display()))?;
        }
        let mut command = Command::new(&self.program);
        command.args(&self.args).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let start = Instant::now();
        let child = command.spawn().with_context(|| format!("cannot run `{}`", shown(&command)))?;
        let used = child.wait4().with_context(|| format!("cannot wait for `{}`", shown(&command)))?;
        let wall = start.elapsed();
        // 1 says that there are findings.
        if !matches!(used.status.code(), Some(0 | 1)) {
            bail!("`{}` failed ({})", shown(&command), used.status);
        }
        Ok(Sample { wall, cpu: used.rusage.utime + used.rusage.stime, peak: used.rusage.maxrss })
    }
}

fn low_and_middle(times: impl Iterator<Item = Duration>) -> [Duration; 2] {
    let mut times: Vec<Duration> = times.collect();
    times.sort_unstable();
    [times.first(), times.get(times.len() / 2)].map(|time| time.copied().unwrap_or_default())
}

/// Runs every case once to warm up, then all of them in turn, so that a slow moment of the machine hits all alike.
pub(crate) fn all(cases: &mut [Case], runs: usize) -> Result<()> {
    for round in 0..=runs {
        for case in &mut *cases {
            let sample = case.run()?;
            if round > 0 {
                case.samples.push(sample);
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use super::*;

    #[cfg(unix)]
    #[test]
    fn a_first_run_finds_nothing_of_an_earlier_one() {
        let folder = std::env::temp_dir().join(format!("fedward-first-{}", std::process::id()));
        let path = folder.to_string_lossy();
        // It fails where the folder is there already.
        let case = Case::new("first", Path::new("mkdir"), &[&path]);
        case.run().unwrap();
        // 1 is what findings are told by, too.
        let case = Case::new("first", Path::new("sh"), &["-c", "mkdir \"$0\" || exit 9", &path]);
        assert!(case.run().is_err());
        let case = case.without(&folder);
        case.run().unwrap();
        case.run().unwrap();
        std::fs::remove_dir_all(&folder).unwrap();
    }

    #[test]
    fn least_and_median() {
        let times = [5, 1, 9, 3, 7].map(Duration::from_millis);
        assert_eq!(low_and_middle(times.into_iter()), [Duration::from_millis(1), Duration::from_millis(5)]);
        assert_eq!(low_and_middle([].into_iter()), [Duration::ZERO; 2]);
    }
}
