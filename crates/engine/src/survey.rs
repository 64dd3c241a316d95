//! Everything that inputs hold, for tools that look at objects themselves instead of having policies judge them: what each object says,
//! which other one it means, and what it can see of the index, just as policies are told.

use std::borrow::Cow;
use std::cell::RefCell;
use std::sync::Arc;

use fedward_kit::context::{Host, Lookup, Unknown};
use fedward_kit::finding::{ObjectId, Place};
use fedward_kit::index::Key;
use fedward_outcome::{Location, Outcome};

use crate::answers::{Answers, Shared};
use crate::gather::Gathered;
use crate::load::{Deployment, Input, Object, Role};
use crate::world::{Found, World};
use crate::{Options, locate, max_threads, order, payload, read_all, secrets, settle};

/// The objects of inputs, numbered from 0 in the order of the inputs and of their text.
pub struct Survey<'w> {
    world: World,
    shared: Shared,
    deployments: Vec<Deployment>,
    written: Option<Box<Written<'w>>>,
}

/// Where something is written that was rendered, and whether the very line is known; `None` if it stands there as it is.
pub type Written<'w> = dyn Fn(&Location, &ObjectId) -> Option<(Location, bool)> + 'w;

/// What an object is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Surveyed<'s> {
    /// Which object.
    pub id: ObjectId,
    /// The cluster that it is deployed to, as its [`Deployment`] has it; nothing where nothing deploys it.
    pub cluster: &'s str,
    /// Whether it is one of those that the tool is asked about, and not only looked at ([`Role::Context`]).
    pub is_judged: bool,
    /// Whether something in the input changes it before it is applied.
    pub is_draft: bool,
}

impl<'w> Survey<'w> {
    /// Reads inputs. What is wrong with them, and what in them is no object, is in the outcome, whose `objects` are the judged ones.
    pub fn new(inputs: Vec<Input>, options: &Options) -> (Self, Outcome) {
        let read = || {
            let mut outcome = Outcome { files: inputs.len(), ..Outcome::default() };
            let order = order(&inputs);
            let (Gathered { loaded, objects, kinds, truncated, .. }, keys) = read_all(inputs, options, &mut outcome);
            let world = World::with(loaded, objects, keys, kinds, options.closed_world && !truncated, &options.deployments);
            settle(&mut outcome, &world, options, &[], &order);
            secrets::hide(&world.loaded, &mut outcome, !options.deployments.is_empty());
            outcome.objects = world.objects.iter().filter(|object| object.is_judged()).count();
            (world, outcome)
        };
        let pool = rayon::ThreadPoolBuilder::new().num_threads(options.threads.clamp(1, max_threads())).build();
        let (world, outcome) = match pool {
            Ok(pool) => pool.install(read),
            // A machine that gives no threads has the one that runs already.
            Err(_) => read(),
        };
        (Survey { world, shared: Shared::default(), deployments: options.deployments.clone(), written: None }, outcome)
    }

    /// Says where rendered objects are written.
    #[must_use]
    pub fn written(self, written: Box<Written<'w>>) -> Self {
        Survey { written: Some(written), ..self }
    }

    /// The objects that count, in order: those of policies, of an old state, and files as they stand that count as they are deployed do not.
    pub fn numbers(&self) -> impl Iterator<Item = usize> {
        let counts = |object: &Object| matches!(object.role, Role::Judged | Role::Context | Role::Deployed(_));
        self.world.objects.iter().enumerate().filter(move |(_, object)| counts(object)).map(|(number, _)| number)
    }

    /// What an object is.
    pub fn object(&self, number: usize) -> Option<Surveyed<'_>> {
        let object = self.world.objects.get(number)?;
        Some(Surveyed { id: payload::id(object), cluster: self.cluster_of(object), is_judged: object.is_judged(), is_draft: object.draft })
    }

    /// The cluster that an object is deployed to; nothing where nothing deploys it.
    pub fn cluster(&self, number: usize) -> &str {
        self.world.objects.get(number).map(|object| self.cluster_of(object)).unwrap_or_default()
    }

    fn cluster_of(&self, object: &Object) -> &str {
        let Role::Deployed(number) = object.role else { return "" };
        self.deployments.get(number).map(|deployment| deployment.cluster.as_str()).unwrap_or_default()
    }

    /// An object as JSON, with its namespace filled in.
    pub fn text(&self, number: usize) -> Arc<[u8]> {
        self.world.text(number)
    }

    /// Where a JSON Pointer of an object leads in what a person edits, and whether the very line is known.
    pub fn location(&self, number: usize, pointer: &str) -> (Location, bool) {
        let location = locate::place(&self.world, number, &Place::new(None, pointer.to_owned()));
        let object = self.world.objects.get(number).filter(|object| matches!(object.role, Role::Deployed(_)));
        let written = self.written.as_ref().zip(object).and_then(|(written, object)| written(&location, &payload::id(object)));
        written.unwrap_or((location, true))
    }

    /// The object that another one means by kind and name: of several copies the nearest one, which is found unless it is one of several
    /// that differ.
    pub fn find(&self, asker: usize, group: &str, kind: &str, namespace: &str, name: &str) -> Lookup<usize> {
        match self.world.get(asker, group, kind, namespace, name) {
            Found::One(number) => Lookup::Found(number),
            Found::Ambiguous => Lookup::NotKnown(Unknown::Ambiguous),
            Found::Unrendered => Lookup::NotKnown(Unknown::Other),
            Found::Absent | Found::Unseen if self.world.closed => Lookup::NotFound,
            Found::Absent => Lookup::NotKnown(Unknown::Absent),
            Found::Unseen => Lookup::NotKnown(Unknown::Unseen),
        }
    }

    /// All objects under a key of the index that an object sees, in the order of their paths. Policies are given the nearest of them.
    pub fn filed(&self, asker: usize, key: &Key) -> Cow<'_, [usize]> {
        self.world.filed(asker, key)
    }

    /// What answers the kit where it asks about other objects for this one.
    pub fn asker(&self, number: usize) -> Asker<'_> {
        Asker { survey: self, answers: RefCell::new(Answers { asker: number, ..Answers::new(&self.world, &self.shared) }) }
    }
}

/// Asks for an object, and remembers what it was shown.
pub struct Asker<'s> {
    survey: &'s Survey<'s>,
    answers: RefCell<Answers<'s>>,
}

impl Asker<'_> {
    /// The number of an object that was handed out.
    pub fn number(&self, id: &ObjectId) -> Option<usize> {
        locate::owner(&self.survey.world, &self.answers.borrow().given, id)
    }
}

impl Host for Asker<'_> {
    fn kubernetes(&self, operation: &str, payload: &[u8]) -> Result<Vec<u8>, String> {
        // The kit never asks while it is being answered.
        match self.answers.try_borrow_mut() {
            Ok(mut answers) => answers.kubernetes(operation, payload).map(|answer| answer.to_vec()),
            Err(error) => Err(error.to_string()),
        }
    }
}
