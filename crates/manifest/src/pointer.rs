//! JSON Pointer (RFC 6901).

use std::borrow::Cow;

use crate::document::Node;

/// Where a JSON Pointer leads.
#[derive(Clone, Copy, Debug)]
pub struct Lookup<'d, 'p> {
    /// The node, or, where it is absent, its nearest parent that exists.
    pub node: Node<'d>,
    /// The part of the pointer that is absent, beginning with `/`; empty where `node` is what was asked for.
    pub absent: &'p str,
}

impl Lookup<'_, '_> {
    /// Whether `node` is what was asked for.
    #[must_use]
    pub const fn is_exact(&self) -> bool {
        self.absent.is_empty()
    }
}

impl<'d> Node<'d> {
    /// Follows a JSON Pointer from this node. A pointer that does not begin with `/` is wholly absent.
    #[must_use]
    pub fn pointer<'p>(self, pointer: &'p str) -> Lookup<'d, 'p> {
        let mut node = self;
        let mut rest = pointer;
        while let Some(tokens) = rest.strip_prefix('/') {
            let (token, after) = tokens.split_at(tokens.find('/').unwrap_or(tokens.len()));
            let Some(child) = node.child(token) else { break };
            (node, rest) = (child, after);
        }
        Lookup { node, absent: rest }
    }

    /// The node that a pointer leads to, if it exists.
    #[must_use]
    pub fn find(self, pointer: &str) -> Option<Node<'d>> {
        let lookup = self.pointer(pointer);
        lookup.is_exact().then_some(lookup.node)
    }

    fn child(self, token: &str) -> Option<Node<'d>> {
        if self.is_seq() {
            return self.index(index(token)?);
        }
        self.get(&unescape(token))
    }
}

/// The index that a token writes, without leading zeros.
pub(crate) fn index(token: &str) -> Option<usize> {
    let canonical = token == "0" || !token.starts_with(['0', '+']);
    if canonical { token.parse().ok() } else { None }
}

pub(crate) fn unescape(token: &str) -> Cow<'_, str> {
    if token.contains('~') { token.replace("~1", "/").replace("~0", "~").into() } else { token.into() }
}
