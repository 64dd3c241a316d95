//! Answers to host calls: Kubewarden's `kubernetes/*` capabilities out of the loaded world.

use std::borrow::Cow;
use std::collections::HashMap;
use std::ops::Deref;
use std::sync::{Arc, Mutex, PoisonError};

use fedward_host::HostCalls;
use fedward_kit::context::NOT_KNOWN;
use fedward_kit::index::{self, API_VERSION, CAP, SAMPLE};
use serde::Deserialize;

use crate::access::Access;
use crate::gates::Gates;
use crate::payload::{Masks, write_string};
use crate::world::{Found, KindIn, World, fingerprint};

/// Answers that many objects ask for, made once.
#[derive(Default)]
pub(crate) struct Shared {
    lists: Mutex<HashMap<u64, Arc<[u8]>>>,
    access: Access,
}

/// Answers the questions of one evaluation.
pub(crate) struct Answers<'w> {
    pub(crate) world: &'w World,
    pub(crate) shared: &'w Shared,
    /// The object under evaluation.
    pub(crate) asker: usize,
    /// The objects that were handed out, so that places in them can be found again.
    pub(crate) given: Vec<usize>,
    /// What the module logged.
    pub(crate) log: Vec<String>,
    /// Bytes handed out so far, over all evaluations.
    pub(crate) bytes: u64,
    /// Questions answered so far, over all evaluations.
    pub(crate) calls: u64,
    /// What the policy may ask; `None` for everything.
    pub(crate) gates: Option<Gates>,
    /// Whether the module understands that a list may be incomplete.
    pub(crate) knows_gaps: bool,
    /// Whether it was given a list that may be incomplete, and does not know.
    pub(crate) has_gaps: bool,
}

/// What is asked: there is a question for nearly every object, so that its texts are borrowed.
#[derive(Deserialize)]
struct Question<'a> {
    #[serde(borrow)]
    api_version: Cow<'a, str>,
    #[serde(borrow)]
    kind: Cow<'a, str>,
    #[serde(borrow, default)]
    name: Option<Text<'a>>,
    #[serde(borrow, default)]
    namespace: Option<Text<'a>>,
    #[serde(borrow, default)]
    label_selector: Option<Text<'a>>,
    #[serde(borrow, default)]
    field_selector: Option<Text<'a>>,
    #[serde(borrow, default)]
    field_masks: Option<Vec<Text<'a>>>,
}

/// A text that is only copied where it has escapes. (Serde borrows a `Cow` in a field, but not in an option or a list.)
#[derive(Deserialize, Hash)]
struct Text<'a>(#[serde(borrow)] Cow<'a, str>);

impl Deref for Text<'_> {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl AsRef<str> for Text<'_> {
    fn as_ref(&self) -> &str {
        self
    }
}

impl<'w> Answers<'w> {
    pub(crate) fn new(world: &'w World, shared: &'w Shared) -> Self {
        Answers {
            world,
            shared,
            asker: 0,
            given: Vec::new(),
            log: Vec::new(),
            bytes: 0,
            calls: 0,
            gates: None,
            knows_gaps: true,
            has_gaps: false,
        }
    }

    /// Answers `kubernetes/<operation>`.
    pub(crate) fn kubernetes(&mut self, operation: &str, payload: &[u8]) -> Result<Arc<[u8]>, String> {
        let question = || -> Result<Question<'_>, String> {
            let question: Question<'_> = serde_json::from_slice(payload).map_err(|error| format!("kubernetes/{operation}: {error}"))?;
            match &self.gates {
                // A policy that is told of the index may ask it.
                Some(gates) if question.api_version != API_VERSION => gates.resource(&question.api_version, &question.kind)?,
                _ => {}
            }
            Ok(question)
        };
        let answer = match operation {
            "get_resource" => self.get(&question()?),
            "list_resources_by_namespace" => {
                let question = question()?;
                if question.namespace.as_deref().unwrap_or("").is_empty() {
                    return Err("kubernetes/list_resources_by_namespace: `namespace` is required".to_owned());
                }
                self.list(&question)
            }
            "list_resources_all" => self.list(&Question { namespace: None, ..question()? }),
            "can_i" => self.shared.access.answer(self.world, self.asker, payload),
            other => Err(format!("unknown operation: {other}")),
        }?;
        self.calls += 1;
        self.bytes += answer.len() as u64;
        Ok(answer)
    }

    fn get(&mut self, question: &Question<'_>) -> Result<Arc<[u8]>, String> {
        let (group, _) = question.api_version.rsplit_once('/').unwrap_or(("", &question.api_version));
        let name = question.name.as_deref().unwrap_or("");
        let namespace = question.namespace.as_deref().unwrap_or("");
        let reason = match self.world.get(self.asker, group, &question.kind, namespace, name) {
            Found::One(number) => {
                self.given.push(number);
                return Ok(match question.field_masks.as_deref().filter(|masks| !masks.is_empty()) {
                    Some(masks) => {
                        let mut out = Vec::new();
                        self.world.write_masked(number, &Masks::new(masks), &mut out);
                        out.into()
                    }
                    None => self.world.text(number),
                });
            }
            Found::Ambiguous => "ambiguous",
            Found::Unrendered => "unrendered",
            // The text of Kubewarden's own host.
            _ if self.world.closed => {
                return Err(format!(
                    "Cannot find {}/{} named '{name}' inside of namespace '{:?}'",
                    question.api_version,
                    question.kind,
                    question.namespace.as_deref()
                ));
            }
            Found::Absent => "absent",
            Found::Unseen => "unseen",
        };
        Err(format!("{NOT_KNOWN}{reason}"))
    }

    fn list(&mut self, question: &Question<'_>) -> Result<Arc<[u8]>, String> {
        let world = self.world;
        if question.api_version == API_VERSION {
            let kind = index::KINDS
                .iter()
                .find(|kind| **kind == question.kind)
                .ok_or_else(|| format!("unknown kind of the index: {}", question.kind))?;
            let key = index::Key {
                kind,
                namespace: question.namespace.as_deref().unwrap_or_default().to_owned(),
                selector: question.field_selector.as_deref().unwrap_or_default().to_owned(),
            };
            let masks = question.field_masks.as_deref().filter(|masks| !masks.is_empty());
            let own;
            let found: Cow<'_, [usize]> = if key.kind == index::OWN_ACCOUNT {
                own = world.own_account(self.asker, &key.namespace, key.selector.strip_prefix("name=").unwrap_or(""));
                own.as_slice().into()
            } else {
                world.filed(self.asker, &key)
            };
            // Who else uses an account is what is asked: most accounts serve one workload, and that knows itself.
            let found = if key.kind == index::ACCOUNT_USER && *found == [self.asker] { Cow::default() } else { found };
            let (near, more) = nearest(world, self.asker, &found, if masks.is_some() { SAMPLE } else { CAP });
            self.given.extend_from_slice(near);
            return Ok(self.share(&("index", &key, masks, world.scope(self.asker), near), ("v1", ""), near, more, masks));
        }
        let (group, _) = question.api_version.rsplit_once('/').unwrap_or(("", &question.api_version));
        self.has_gaps |= !self.knows_gaps && !world.is_closed(self.asker);
        let kind = KindIn(group.to_owned(), question.kind.clone().into_owned(), question.namespace.as_deref().map(str::to_owned));
        let all = world.list(self.asker, &kind);
        let selected: Vec<usize>;
        let found = match (question.label_selector.as_deref().unwrap_or(""), question.field_selector.as_deref().unwrap_or("")) {
            ("", "") => &*all,
            (labels, fields) => {
                let selector = crate::selector::Selector::parse(labels, fields, group, &question.kind)?;
                selected = all.iter().copied().filter(|number| selector.matches(world, *number)).collect();
                &selected
            }
        };
        self.given.extend_from_slice(found);
        let question = (
            "list",
            &question.api_version,
            &question.kind,
            &question.namespace,
            &question.label_selector,
            &question.field_selector,
            &question.field_masks,
            world.scope(self.asker),
            self.knows_gaps,
        );
        let masks = question.6.as_deref().filter(|masks| !masks.is_empty());
        Ok(self.share(&question, (question.1, question.2), found, 0, masks))
    }

    /// The list as JSON, made once for every question that is the same.
    fn share(
        &self,
        question: &impl std::hash::Hash,
        names: (&str, &str),
        objects: &[usize],
        more: usize,
        masks: Option<&[Text<'_>]>,
    ) -> Arc<[u8]> {
        // Answers of one object each are not worth keeping: nobody else asks for them.
        if objects.len() <= 1 {
            return self.write_list(names, objects, more, masks);
        }
        let key = fingerprint(question);
        // Held while the list is written: the others that ask the same wait for it instead of writing it, too.
        let mut lists = self.shared.lists.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(lists.entry(key).or_insert_with(|| self.write_list(names, objects, more, masks)))
    }

    fn write_list(&self, (api_version, kind): (&str, &str), objects: &[usize], more: usize, masks: Option<&[Text<'_>]>) -> Arc<[u8]> {
        let mut out = Vec::new();
        out.extend_from_slice(b"{\"apiVersion\":");
        write_string(api_version, &mut out);
        out.extend_from_slice(b",\"kind\":");
        write_string(&format!("{kind}List"), &mut out);
        out.extend_from_slice(b",\"metadata\":{");
        // Offline nobody knows what else the cluster holds, unless the loaded world is declared complete. The policy server never says
        // that a list goes on, and nobody can ask it for the rest: a module of others that tried would ask for ever.
        if (!self.world.is_closed(self.asker) && self.knows_gaps) || more > 0 {
            out.extend_from_slice(b"\"continue\":\"not known\"");
        }
        if more > 0 {
            out.extend_from_slice(format!(",\"remainingItemCount\":{more}").as_bytes());
        }
        out.extend_from_slice(b"},\"items\":[");
        let masks = masks.map(Masks::new);
        for (index, number) in objects.iter().enumerate() {
            if index > 0 {
                out.push(b',');
            }
            match &masks {
                Some(masks) => self.world.write_masked(*number, masks, &mut out),
                None => out.extend_from_slice(&self.world.text(*number)),
            }
        }
        out.extend_from_slice(b"]}");
        out.into()
    }
}

/// At most `cap` of a list sorted by path, those around the asker's own path, and how many more there are.
fn nearest<'l>(world: &World, asker: usize, found: &'l [usize], cap: usize) -> (&'l [usize], usize) {
    if found.len() <= cap {
        return (found, 0);
    }
    let path = world.path(asker);
    let at = found.partition_point(|number| world.path(*number) < path);
    let start = at.saturating_sub(cap / 2).min(found.len() - cap);
    (found.get(start..start + cap).unwrap_or_default(), found.len() - cap)
}

impl HostCalls for Answers<'_> {
    fn call(&mut self, binding: &str, namespace: &str, operation: &str, payload: &[u8]) -> Result<Arc<[u8]>, String> {
        if binding == "kubewarden"
            && namespace != "tracing"
            && let Some(gates) = &self.gates
        {
            gates.capability(namespace, operation)?;
        }
        match (binding, namespace) {
            ("kubewarden", "kubernetes") => self.kubernetes(operation, payload),
            ("kubewarden", "tracing") if operation == "log" => {
                self.log(&String::from_utf8_lossy(payload));
                Ok(Arc::from(&b""[..]))
            }
            ("kubewarden", "oci" | "net" | "crypto" | "cache") => {
                Err(format!("{NOT_KNOWN}{namespace}/{operation} is not answered offline"))
            }
            ("kubewarden", other) => Err(format!("unknown namespace: {other}")),
            (other, _) => Err(format!("unknown binding: {other}")),
        }
    }

    fn log(&mut self, text: &str) {
        // A module that logs without end is cut off by the host; this bounds what one object's log may take here.
        if self.log.len() < 100 {
            self.log.push(text.to_owned());
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use super::{Answers, Shared};
    use crate::resources::Kinds;
    use crate::world::World;

    #[test]
    fn only_those_that_know_are_told_of_gaps() {
        let list = |closed: bool, knows_gaps: bool| {
            let world = World::new(Vec::new(), Vec::new(), Vec::new(), Kinds::default(), closed);
            let shared = Shared::default();
            let mut answers = Answers { knows_gaps, ..Answers::new(&world, &shared) };
            let answer = answers.kubernetes("list_resources_all", br#"{"api_version":"v1","kind":"Pod"}"#).unwrap();
            (String::from_utf8_lossy(&answer).into_owned(), answers.has_gaps)
        };
        let answer = |metadata: &str| format!(r#"{{"apiVersion":"v1","kind":"PodList","metadata":{{{metadata}}},"items":[]}}"#);
        assert_eq!(list(false, true), (answer(r#""continue":"not known""#), false));
        assert_eq!(list(false, false), (answer(""), true));
        assert_eq!(list(true, false), (answer(""), false));
    }
}
