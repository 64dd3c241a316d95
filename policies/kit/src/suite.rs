//! Several policies as one: a single module, a single webhook call, the request parsed and other objects asked for once.

use std::cell::RefCell;
use std::rc::Rc;

use serde_json::json;

use crate::context::Host;
use crate::node::Node;
use crate::order;
use crate::policy::{AnyPolicy, Descriptor, Part, PartSettings, RuleDescriptor, validate, validate_settings};
use crate::settings::{self, Common, Read, Reader};
use crate::subject::Subjects;
use crate::verdict::{Judged, settle};

/// Several policies as one.
pub struct Suite {
    /// The id: crate, folder and metadata title alike.
    pub id: &'static str,
    /// One line: what it enforces.
    pub summary: &'static str,
    /// The policies.
    pub parts: &'static [&'static dyn Part],
}

thread_local! {
    /// What was read last: every request of a cluster, or of a run, has the same settings, and reading them costs as much as several rules.
    static LAST: RefCell<Option<Last>> = const { RefCell::new(None) };
}

/// Settings as they were read.
struct Last {
    /// The suite's id.
    suite: &'static str,
    /// All of their values as a text.
    text: String,
    read: Rc<Read<Chosen>>,
}

/// The settings of the policies that are on, in the order of [`Suite::parts`].
type Chosen = Vec<(&'static dyn Part, PartSettings)>;

impl AnyPolicy for Suite {
    fn describe(&self) -> Descriptor {
        let fields = settings::fields_with(|reader| _ = self.read_with(reader));
        let mut rules: Vec<RuleDescriptor> = self.parts.iter().flat_map(|part| part.describe().rules).collect();
        rules.sort_by_key(|rule| rule.id);
        rules.dedup_by_key(|rule| rule.id);
        Descriptor { id: self.id, summary: self.summary, rules, settings: fields }
    }

    fn validate(&self, payload: &[u8], host: &dyn Host) -> Result<Vec<u8>, String> {
        validate(payload, host, |settings| self.read_once(settings), |subjects, read| self.judge(subjects, &read.own))
    }

    fn validate_settings(&self, payload: &[u8]) -> Vec<u8> {
        validate_settings(payload, |settings| self.read(settings).errors)
    }
}

impl Suite {
    fn judge<'a>(&self, subjects: &'a Subjects<'a>, chosen: &'a Chosen) -> Judged {
        let mut all = Judged::default();
        for (part, settings) in chosen {
            let judged = part.judge(subjects, settings);
            all.new.extend(judged.new);
            all.before.extend(judged.before);
        }
        for findings in [&mut all.new, &mut all.before] {
            // Of equal findings of several policies the first is kept: that of the policy which takes it most seriously.
            order::sort(findings, &|one, other| other.severity.cmp(&one.severity));
            *findings = settle(std::mem::take(findings), &|rule| self.supersedes(rule));
        }
        all
    }

    fn supersedes(&self, rule: &str) -> &'static [&'static str] {
        self.parts.iter().map(|part| part.supersedes(rule)).find(|rules| !rules.is_empty()).unwrap_or_default()
    }

    /// [`Suite::read`], unless the settings are those of the last time.
    fn read_once(&self, node: Node<'_>) -> Rc<Read<Chosen>> {
        let text = format!("{:?}", node.value());
        LAST.with_borrow_mut(|last| match last {
            Some(last) if last.suite == self.id && last.text == text => Rc::clone(&last.read),
            _ => {
                let read = Rc::new(self.read(node));
                *last = Some(Last { suite: self.id, text, read: Rc::clone(&read) });
                read
            }
        })
    }

    fn read(&self, node: Node<'_>) -> Read<Chosen> {
        settings::read_with(node, |reader| self.read_with(reader))
    }

    /// The common settings, which count for every policy that does not set them itself, and `policies`.
    fn read_with(&self, reader: &mut Reader<'_>) -> (Common, Chosen) {
        let common = Common::read(reader, &|| self.rules(), None);
        let chosen = self.read_parts(reader, &common);
        (common, chosen)
    }

    fn rules(&self) -> Vec<&'static str> {
        self.parts.iter().flat_map(|part| part.rules()).collect()
    }

    fn read_parts(&self, reader: &mut Reader<'_>, common: &Common) -> Chosen {
        let schema = || {
            let part = |part: &&'static dyn Part| {
                let Descriptor { id, settings, .. } = part.describe();
                let enabled = json!({ "type": "boolean", "default": true, "description": "Whether the policy runs." });
                let fields = json!({ "enabled": enabled, "settings": settings::schema_of(&settings) });
                (id.to_owned(), json!({ "type": "object", "properties": fields, "additionalProperties": false }))
            };
            let policies: serde_json::Map<_, _> = self.parts.iter().map(part).collect();
            json!({ "type": "object", "properties": policies, "additionalProperties": false, "default": {} })
        };
        let doc = "Each policy by its id: `enabled: false` turns it off, `settings` has its own settings. What it does not set of the settings above counts for it, too.";
        let policies = reader.field("policies", doc, schema);
        let ids: Vec<&str> = self.parts.iter().map(|part| part.id()).collect();
        reader.map(policies);
        reader.only(policies, &ids, "policy");
        let mut chosen = Chosen::new();
        for part in self.parts {
            let own = policies.peek(part.id());
            reader.map(own);
            reader.only(own, &["enabled", "settings"], "field");
            let enabled = reader.flag(own.peek("enabled"), true);
            if !enabled && own.peek("settings").is_absent() {
                continue;
            }
            let (settings, errors) = part.read(own.peek("settings"), common);
            reader.extend(errors);
            if enabled {
                chosen.push((*part, settings));
            }
        }
        chosen
    }
}
