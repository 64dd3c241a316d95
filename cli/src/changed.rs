//! What a change touches, where only that is judged.

mod about_all;

use std::collections::HashSet;
use std::path::Path;

use anyhow::{Context as _, Result, anyhow, bail};
use fedward_config::{Loaded, repository};
use fedward_gitops::{Changed, Wanted};
use fedward_outcome::{Outcome, State};
use fedward_report::count;

use crate::args::Check;
use crate::inputs::Inputs;
use crate::setup::unreadable;

/// A change, as `--changed-since` names it.
pub(crate) struct Change {
    revision: String,
    changed: Changed,
    /// Whether something is touched that everything depends on.
    everything: bool,
}

impl Change {
    /// Asks Git what changed in the repository of what is checked.
    ///
    /// # Errors
    /// There is no repository, revision or common commit.
    pub(crate) fn find(revision: &str, args: &Check, loaded: &Loaded, read: &Inputs) -> Result<Self> {
        let first = args.input.paths.iter().find(|path| *path != Path::new("-"));
        let Some(path) = args.argocd.argocd.as_ref().or(first) else {
            bail!("`--changed-since {revision}`: standard input is in no Git repository");
        };
        let real = path.canonicalize().map_err(|error| unreadable(path, &error))?;
        let root =
            repository(&real).with_context(|| format!("`--changed-since {revision}`: `{}` is in no Git repository", path.display()))?;
        let changed = Changed::since(root, revision).map_err(|error| anyhow!("`--changed-since {revision}`: {error}"))?;
        let everything = about_all::is_touched(&changed, args, loaded, read);
        Ok(Change { revision: revision.to_owned(), changed, everything })
    }

    /// Which Applications are rendered.
    pub(crate) fn wanted(&self) -> Wanted<'_> {
        Wanted::Touched { changed: &self.changed, everything: self.everything }
    }

    /// The change, if it narrows what is judged.
    pub(crate) fn narrowing(&self) -> Option<&Changed> {
        Some(&self.changed).filter(|_| !self.everything)
    }

    /// The names of inputs that it does not touch.
    pub(crate) fn untouched(&self, read: &Inputs) -> HashSet<String> {
        if self.everything {
            return HashSet::new();
        }
        read.judged.iter().filter(|(real, _)| !self.changed.touches(real)).map(|(_, name)| name.clone()).collect()
    }

    /// Says what was not judged. `files`: inputs that it does not touch.
    pub(crate) fn tell(&self, outcome: &mut Outcome, files: usize) {
        outcome.is_narrowed = files > 0 || outcome.deployed.iter().any(|one| one.state == State::Untouched);
        outcome.files = outcome.files.saturating_sub(files);
        let is_left = |one: &&fedward_outcome::Deployed| one.kind == "Application" && one.state == State::Untouched;
        let applications = outcome.deployed.iter().filter(is_left).count();
        let left = [(applications, "Application"), (files, "file")];
        let left: Vec<String> = left.iter().filter(|(number, _)| *number > 0).map(|(number, noun)| count(*number, noun)).collect();
        let verb = if applications + files == 1 { "is" } else { "are" };
        if self.everything {
            let what =
                "the change touches what everything depends on (the configuration, policies, or what is said of clusters and generators)";
            outcome.notes.push(format!("everything was judged: since `{}`, {what}", self.revision));
        } else if !left.is_empty() {
            outcome.notes.push(format!(
                "{} {verb} not touched by the change since `{}`, and not judged",
                left.join(" and "),
                self.revision
            ));
        }
    }
}
