//! The object that rules look at, with what is found out about it once for all of them.

use std::cell::OnceCell;

use crate::context::Context;
use crate::node::Node;
use crate::request::Request;
use crate::token_use::{self, Projected};
use crate::workload::{self, Pod};

/// An object of a request.
pub struct Subject<'a> {
    /// The admission request.
    pub(crate) request: &'a Request<'a>,
    /// The object, as it is to be or as it was.
    pub(crate) object: Node<'a>,
    /// Other objects.
    pub(crate) context: &'a Context<'a>,
    /// All pods, and how many of them the object itself decides; those come first.
    pods: OnceCell<(Vec<Pod<'a>>, usize)>,
    projected: OnceCell<Vec<Projected<'a>>>,
}

/// Both objects of a request.
pub struct Subjects<'a> {
    /// The object as it is to be.
    pub(crate) now: Subject<'a>,
    /// The object as it was.
    pub(crate) old: Subject<'a>,
}

impl<'a> Subjects<'a> {
    /// Those of a request. Nothing is looked for before a rule asks.
    pub(crate) fn new(request: &'a Request<'a>, context: &'a Context<'a>) -> Self {
        let subject = |object| Subject { request, object, context, pods: OnceCell::new(), projected: OnceCell::new() };
        Subjects { now: subject(request.object), old: subject(request.old_object) }
    }
}

impl<'a> Subject<'a> {
    /// See [`crate::rule::Check::pods`].
    pub(crate) fn pods(&self) -> &[Pod<'a>] {
        let (pods, own) = self.found();
        pods.get(..*own).unwrap_or_default()
    }

    /// See [`crate::rule::Check::all_pods`].
    pub(crate) fn all_pods(&self) -> &[Pod<'a>] {
        &self.found().0
    }

    fn found(&self) -> &(Vec<Pod<'a>>, usize) {
        self.pods.get_or_init(|| {
            let pods = workload::pods(self.object, self.request.namespace, self.context);
            let (mut own, other): (Vec<_>, Vec<_>) = pods.into_iter().partition(|pod| pod.is_of(self.object));
            let count = own.len();
            own.extend(other);
            (own, count)
        })
    }

    /// See [`crate::rule::Check::projected`].
    pub(crate) fn projected(&self) -> &[Projected<'a>] {
        self.projected.get_or_init(|| token_use::projected(self.context, self.pods()))
    }
}
