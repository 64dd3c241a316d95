//! What a run found: findings on their places in files, what could not be judged, what was skipped.
//!
//! The engine makes it, the report crate prints it, the CLI turns it into an exit code.

mod deployed;
mod manifest;
mod words;

use std::collections::HashMap;
use std::sync::Arc;

pub use deployed::{Deployed, DeployedCounts, Rendered, State, count_states};
use fedward_kit::finding::{ObjectId, PatchStep, Severity};
pub use fedward_manifest::edit::Edit;
use fedward_manifest::{Position, Source, Span};
pub use manifest::Manifest;
pub use words::few;

/// A stretch of a file.
#[derive(Debug, Clone)]
pub struct Location {
    /// The file. Its name is the path as outputs show it: relative to the working directory, with `/`.
    pub source: Arc<Source>,
    /// The bytes.
    pub span: Span,
    /// JSON Pointer from the object's root (or the document's, for findings on no object); pointers into documents inside strings
    /// follow, separated by `#`. Empty where nothing was parsed.
    pub pointer: String,
}

impl Location {
    /// 1-based line and column of the first character.
    pub fn start(&self) -> Position {
        self.source.position(self.span.start)
    }

    /// 1-based line and column after the last character.
    pub fn end(&self) -> Position {
        self.source.position(self.span.end)
    }
}

/// A related place.
#[derive(Debug, Clone)]
pub struct Related {
    /// Where.
    pub location: Location,
    /// What is there.
    pub message: String,
}

/// Why a finding does not count.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Suppression {
    /// `inline` or `config`.
    pub kind: SuppressionKind,
    /// The reason that was given.
    pub reason: String,
}

/// Where a suppression is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SuppressionKind {
    /// A comment beside the line.
    Inline,
    /// `fedward.yaml`.
    Config,
}

/// A finding on its place.
#[derive(Debug, Clone)]
pub struct Finding {
    /// The rule's id.
    pub rule: String,
    /// The condition of the rule.
    pub condition: String,
    /// The policy's id; `input` for what the reader finds, `argocd-repository` for what is wrong with a repository.
    pub policy: String,
    /// Its weight.
    pub severity: Severity,
    /// What is wrong.
    pub message: String,
    /// What to do; may be empty.
    pub help: String,
    /// The rule's page, relative to the project.
    pub docs: String,
    /// Where.
    pub location: Location,
    /// Other places.
    pub related: Vec<Related>,
    /// How many more related places there are.
    pub related_more: usize,
    /// The object, if it is on one.
    pub object: Option<ObjectId>,
    /// A JSON Patch on the object.
    pub fix: Vec<PatchStep>,
    /// The same mending as text edits of the file, in its order and apart from one another, to be applied together. Empty where the
    /// patch cannot be written as such.
    pub edits: Vec<Edit>,
    /// Set where an ignore entry applies: the finding is shown, but does not count.
    pub suppressed: Option<Suppression>,
    /// Set where it was made in what is deployed: what deploys it, and what it looks like there.
    pub rendered: Option<Rendered>,
    /// The policy manifests that say it, with the same weight: none for what no manifest has judged.
    pub manifests: Vec<Arc<Manifest>>,
}

/// What rules found that look at all inputs at once, before policies see any: those about a repository.
#[derive(Debug, Clone, Default)]
pub struct Native {
    /// The rules that ran.
    pub rules: Vec<&'static str>,
    /// What they found, turned off or not: the host of these rules gives severities and applies ignore entries.
    pub findings: Vec<NativeFinding>,
}

/// A finding of a native rule.
#[derive(Debug, Clone)]
pub struct NativeFinding {
    /// The finding.
    pub finding: Finding,
    /// Whether something is not judged because of what it tells, and that stays so if the finding does not count.
    pub leaves_unjudged: bool,
}

/// Something that could not be judged: the policy trapped, ran out of time, answered nonsense.
#[derive(Debug, Clone)]
pub struct NotEvaluated {
    /// Where the object is.
    pub location: Location,
    /// The object, if there is one.
    pub object: Option<ObjectId>,
    /// The policy that could not judge it.
    pub policy: String,
    /// Why.
    pub reason: String,
}

/// A file or folder that could not be read, so that nobody knows what is in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unread {
    /// Its path.
    pub file: String,
    /// Why.
    pub reason: String,
}

/// A file, or a document in it, that was not judged, on purpose.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Skipped {
    /// The file.
    pub file: String,
    /// The 1-based line where the skipped document begins; `None` for the whole file.
    pub line: Option<u32>,
    /// Why.
    pub reason: String,
}

/// What a policy changed of an object, as the API server would have it afterwards. Values that no output may show are hidden in it.
#[derive(Debug, Clone)]
pub struct Mutation {
    /// Where the object is.
    pub location: Location,
    /// The object.
    pub object: Option<ObjectId>,
    /// The policy.
    pub policy: String,
    /// The object before, changed by the policies that come earlier.
    pub before: serde_json::Value,
    /// The object after.
    pub after: serde_json::Value,
    /// The difference, as a JSON Patch.
    pub patch: Vec<PatchStep>,
}

/// What a run found.
#[derive(Debug, Default)]
pub struct Outcome {
    /// Findings by file (in the order given), line and column; then rule.
    pub findings: Vec<Finding>,
    /// The rules that ran, where ignore entries count.
    pub rules: Vec<String>,
    /// What could not be judged, in the same order.
    pub not_evaluated: Vec<NotEvaluated>,
    /// What could not be read, in the order of files.
    pub unread: Vec<Unread>,
    /// What policies changed, in the order of objects, and for each in the order of the policies.
    pub mutations: Vec<Mutation>,
    /// What was skipped, in the order of files.
    pub skipped: Vec<Skipped>,
    /// What Argo CD deploys from here, and what became of each.
    pub deployed: Vec<Deployed>,
    /// Files that were not judged as they stand, because what is rendered of them was.
    pub rendered_files: usize,
    /// What no output may show, by the source's name, in any order: the values in a Secret's `data` and `stringData`, credentials found
    /// elsewhere, and all of a document that may be a Secret but could not be parsed.
    pub secrets: HashMap<Arc<str>, Vec<Span>>,
    /// Things worth saying that are no findings: unused ignore entries, guessed resource names.
    pub notes: Vec<String>,
    /// Whether only what a change touches was judged: that may be nothing.
    pub is_narrowed: bool,
    /// Files read, without those that a change does not touch.
    pub files: usize,
    /// How many objects each input holds, in the order of the inputs; a policy server's file counts as one.
    pub held: Vec<usize>,
    /// Objects found in them.
    pub objects: usize,
    /// Documents that are meant as policies, among those that are read as such.
    pub policies: usize,
    /// Objects that at least one policy judged.
    pub evaluated: usize,
    /// Those of them that only say what else is deployed: Applications of Argo CD and their like.
    pub evaluated_applications: usize,
}

impl Outcome {
    /// How many findings of a severity count.
    pub fn count(&self, severity: Severity) -> usize {
        self.findings.iter().filter(|finding| finding.severity == severity && finding.suppressed.is_none()).count()
    }
}
