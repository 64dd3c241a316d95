//! What a rule is, and what it is given.

use std::cell::{Cell, RefCell};

use crate::context::Context;
use crate::finding::{Finding, MAX_RELATED, PatchStep, Place, Related, Severity};
use crate::node::Node;
use crate::request::Request;
use crate::settings::{Common, Settings};
use crate::subject::Subject;
use crate::token_use::Projected;
use crate::workload::Pod;

/// A rule of a policy with settings `S`: one file, one id, one pure function from what [`Check`] gives to findings.
pub struct Rule<S: Settings + 'static> {
    /// The kebab-case id, the same in settings, outputs, fixtures and docs. It names the bad thing.
    pub id: &'static str,
    /// One line: what is reported.
    pub summary: &'static str,
    /// Under which conditions it fires, each with its own default severity.
    pub conditions: &'static [Condition],
    /// Less specific rules that are not reported at the same place.
    pub supersedes: &'static [&'static str],
    /// The check.
    pub check: fn(&Check<'_, S>),
}

impl<S: Settings> Rule<S> {
    /// The list of a policy's rules, without what only the docs need where it becomes part of a module.
    #[expect(clippy::indexing_slicing, reason = "iterators are not there yet when constants are made")]
    pub const fn list<const COUNT: usize>(mut rules: [Rule<S>; COUNT]) -> [Rule<S>; COUNT] {
        let mut at = 0;
        while at < COUNT {
            rules[at].summary = for_docs(rules[at].summary);
            at += 1;
        }
        rules
    }
}

/// One condition of a rule, with its default severity.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Condition {
    /// kebab-case, unique in the rule.
    pub name: &'static str,
    /// The default severity. A setting for the rule replaces the severities of all its conditions.
    pub severity: Severity,
    /// When it applies, as a phrase for the rule's page.
    pub when: &'static str,
}

impl Condition {
    /// A condition that rejects.
    pub const fn error(name: &'static str, when: &'static str) -> Self {
        Condition { name, severity: Severity::Error, when: for_docs(when) }
    }

    /// A condition that warns.
    pub const fn warning(name: &'static str, when: &'static str) -> Self {
        Condition { name, severity: Severity::Warning, when: for_docs(when) }
    }

    /// A condition that is recorded only.
    pub const fn info(name: &'static str, when: &'static str) -> Self {
        Condition { name, severity: Severity::Info, when: for_docs(when) }
    }
}

/// A text that no module shows: it takes none of its room.
const fn for_docs(text: &'static str) -> &'static str {
    if cfg!(target_arch = "wasm32") { "" } else { text }
}

/// A finding in the making. A pointer, since rules hand it on from step to step: code that moves the parts themselves makes modules larger.
pub struct Report<'a>(Box<Parts<'a>>);

struct Parts<'a> {
    condition: &'a Condition,
    node: Node<'a>,
    message: String,
    help: String,
    related: Vec<Related>,
    related_more: usize,
    fix: Vec<PatchStep>,
    mends: bool,
    on_key: bool,
    offset: Option<usize>,
}

impl<'a> Report<'a> {
    /// Reports `condition` at `node`: on the field itself, or, if it is absent, on its nearest parent. For a node of another object the
    /// finding stands where the object under admission refers to it, and the node is a related place.
    pub fn new(condition: &'a Condition, node: Node<'a>, message: impl Into<String>) -> Self {
        Report(Box::new(Parts {
            condition,
            node,
            message: message.into(),
            help: String::new(),
            related: Vec::new(),
            related_more: 0,
            fix: Vec::new(),
            mends: false,
            on_key: false,
            offset: None,
        }))
    }

    /// What to do about it.
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.0.help = help.into();
        self
    }

    /// Another place that belongs to it.
    pub fn related(mut self, node: Node<'a>, message: impl Into<String>) -> Self {
        if self.0.related.len() < MAX_RELATED {
            self.0.related.push(Related { place: node.place(), message: message.into() });
        } else {
            self.0.related_more += 1;
        }
        self
    }

    /// Says that there are `count` more related places than were given.
    pub fn more(mut self, count: usize) -> Self {
        self.0.related_more += count;
        self
    }

    /// A patch that mends it. It is dropped where the finding lies in another object or inside a string.
    pub fn fix(mut self, steps: Vec<PatchStep>) -> Self {
        self.0.fix = steps;
        self
    }

    /// Has the policy apply the patch itself, if `mends` and if nothing else is wrong with the object; see [`crate::settings::Settings::MENDS`].
    /// Only for patches that set a string or a map.
    pub fn mended(mut self, mends: bool) -> Self {
        self.0.mends = mends;
        self
    }

    /// Points at the key, not the value.
    pub fn on_key(mut self) -> Self {
        self.0.on_key = true;
        self
    }

    /// Points at a byte offset in the string.
    pub fn offset(mut self, offset: usize) -> Self {
        self.0.offset = Some(offset);
        self
    }
}

/// What a rule may look at, and where it reports.
pub struct Check<'a, S: Settings> {
    /// The admission request.
    pub request: &'a Request<'a>,
    /// The object under admission (`request.object`).
    pub object: Node<'a>,
    /// The policy's own settings.
    pub settings: &'a S,
    /// The settings that every policy has.
    pub common: &'a Common,
    /// Other objects.
    pub context: &'a Context<'a>,
    /// Empty at first: the rules that need a fact fill it in for the others.
    pub facts: S::Facts<'a>,
    subject: &'a Subject<'a>,
    rule: Cell<&'static str>,
    findings: RefCell<Vec<Finding>>,
}

impl<'a, S: Settings> Check<'a, S> {
    /// A check of one object.
    pub(crate) fn new(subject: &'a Subject<'a>, settings: &'a S, common: &'a Common) -> Self {
        Check {
            request: subject.request,
            object: subject.object,
            settings,
            common,
            context: subject.context,
            facts: S::Facts::default(),
            subject,
            rule: Cell::new(""),
            findings: RefCell::new(Vec::new()),
        }
    }

    /// Every pod whose template or service account the object itself decides, in the order of its text.
    pub fn pods(&self) -> &'a [Pod<'a>] {
        self.subject.pods()
    }

    /// The pods of [`Check::pods`], then those that the object merely starts: template and service account both stand in another
    /// object, which is judged itself. For rules that ask what the object sets going.
    pub fn all_pods(&self) -> &'a [Pod<'a>] {
        self.subject.all_pods()
    }

    /// The tokens that the pods of [`Check::pods`] project by hand, and who reads them.
    pub fn projected(&self) -> &[Projected<'a>] {
        self.subject.projected()
    }

    /// Whether the request is of this group and kind, in any version.
    pub fn is(&self, group: &str, kind: &str) -> bool {
        self.request.group == group && self.request.kind == kind
    }

    /// Records a finding.
    pub fn report(&self, Report(report): Report<'a>) {
        let report = *report;
        let rule = self.rule.get();
        let Some(severity) = self.common.severity(rule, report.condition.severity) else { return };
        let anchor = report.node.anchor();
        let mut related = report.related;
        let foreign = report.node.foreign().is_some();
        if foreign {
            related.insert(0, Related { place: report.node.place(), message: "the place itself".to_owned() });
            related.truncate(MAX_RELATED);
        }
        let exact = !foreign && anchor.is_verbatim();
        let place = Place { key: report.on_key && exact, offset: report.offset.filter(|_| exact), ..anchor.place() };
        let fix = if !exact || !place.embedded.is_empty() { Vec::new() } else { report.fix };
        self.findings.borrow_mut().push(Finding {
            rule: rule.to_owned(),
            condition: report.condition.name.to_owned(),
            severity,
            place,
            message: report.message,
            help: report.help,
            docs: format!("docs/rules/{rule}.md"),
            related,
            related_more: report.related_more,
            mends: report.mends && !fix.is_empty(),
            fix,
        });
    }

    /// Runs the rules that the settings do not turn off and takes their findings.
    pub fn run(self, rules: &[Rule<S>]) -> Vec<Finding> {
        // Most settings turn nothing off.
        let all_on = !self.common.has_severities();
        for rule in rules {
            if all_on || self.common.is_on(rule.id) {
                self.rule.set(rule.id);
                (rule.check)(&self);
            }
        }
        self.findings.into_inner()
    }
}
