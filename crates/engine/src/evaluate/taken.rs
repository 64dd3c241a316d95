//! Which policies take requests of a kind at all: their rules are gone through once for each kind, not for each object.

use fedward_policyset::Attributes;

use crate::policies::{Policy, Takes};
use crate::request::Facts;

/// More kinds than most inputs have; with one more, all are forgotten.
const KINDS: usize = 64;

/// What a thread remembers of it.
#[derive(Default)]
pub(super) struct Taken {
    kinds: Vec<(Kind, Vec<Takes>)>,
}

/// What of a request the rules of policies look at.
struct Kind {
    group: String,
    version: String,
    resource: String,
    subresource: String,
    operation: String,
    is_namespaced: bool,
    is_raw: bool,
}

impl Kind {
    fn of(request: &Attributes<'_>, is_raw: bool) -> Self {
        Kind {
            group: request.group.to_owned(),
            version: request.version.to_owned(),
            resource: request.resource.to_owned(),
            subresource: request.subresource.to_owned(),
            operation: request.operation.to_owned(),
            is_namespaced: !request.namespace.is_empty(),
            is_raw,
        }
    }

    fn is(&self, request: &Attributes<'_>, is_raw: bool) -> bool {
        self.resource == request.resource
            && self.group == request.group
            && self.version == request.version
            && self.operation == request.operation
            && self.subresource == request.subresource
            && self.is_namespaced != request.namespace.is_empty()
            && self.is_raw == is_raw
    }
}

impl Taken {
    /// For each policy whether it takes requests of that kind. The versions that a resource has are the same for all of them.
    pub(super) fn by(&mut self, policies: &[Policy], facts: &Facts<'_>, request: &Attributes<'_>) -> &[Takes] {
        let at = self.kinds.iter().position(|(kind, _)| kind.is(request, facts.is_raw())).unwrap_or_else(|| {
            if self.kinds.len() >= KINDS {
                self.kinds.clear();
            }
            let takes = policies.iter().map(|policy| policy.takes(facts, request)).collect();
            self.kinds.push((Kind::of(request, facts.is_raw()), takes));
            self.kinds.len() - 1
        });
        self.kinds.get(at).map(|(_, takes)| takes.as_slice()).unwrap_or_default()
    }
}
