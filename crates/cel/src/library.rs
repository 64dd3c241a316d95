//! What Kubernetes adds to CEL.

pub(crate) mod differing;
mod format;
mod formatting;
mod lists;
mod net;
mod opaque;
mod quantity;
mod regex;
mod sets;
mod time;
mod url;
mod versions;

use std::collections::BTreeMap;
use std::sync::LazyLock;

use cel::{DeclarationError, Env};

/// Functions that macros expand to; no expression can name them.
pub(crate) mod internal {
    /// `sortBy`, in the `cel` crate's list extension.
    pub(crate) const SORT_BY_KEYS: &str = "@sortByAssociatedKeys";
    /// The keys of a map, the indices of a list.
    pub(crate) const KEYS: &str = "@keys";
    /// Whether a value is one of those that have no fields: `null`, a number, a text, a time.
    pub(crate) const IS_PLAIN: &str = "@isPlain";
    /// `lists.range`.
    pub(crate) const RANGE: &str = "@lists.range";
    /// A number with a fraction as text, so that `string` gives it back.
    pub(crate) const NUMBER_TEXT: &str = "@numberText";
    /// A text of a truth value, so that `bool` knows it.
    pub(crate) const TRUTH_TEXT: &str = "@truthText";
    /// Everything but a text.
    pub(crate) const NO_TEXT: &str = "@noText";
    /// `indexOf` of a string, from a place on.
    pub(crate) const INDEX_OF: &str = "@indexOf";
    /// `lastIndexOf` of a string, from a place on.
    pub(crate) const LAST_INDEX_OF: &str = "@lastIndexOf";
    /// The list of arguments that `format` gets.
    pub(crate) const FORMAT_ARGUMENTS: &str = "@formatArguments";
    /// A map and one more entry.
    pub(crate) const INSERT: &str = "@insert";
    /// A map and the entries of another.
    pub(crate) const INSERT_ALL: &str = "@insertAll";
}

/// Types that an expression can name.
pub(crate) const TYPES: [&str; 21] = [
    "bool",
    "bytes",
    "double",
    "int",
    "list",
    "map",
    "null_type",
    "string",
    "type",
    "uint",
    "optional_type",
    "google.protobuf.Duration",
    "google.protobuf.Timestamp",
    "google",
    "google.protobuf",
    "net.IP",
    "net.CIDR",
    "net",
    "kubernetes.URL",
    "kubernetes.Quantity",
    "kubernetes.Semver",
];

/// A function's name and how many arguments it takes, the target not counted.
type Arities = &'static [(&'static str, &'static [usize])];

/// Functions of CEL itself, of cel-go's extensions for strings and lists, and of optional types.
const GLOBAL: Arities = &[
    ("bool", &[1]),
    ("bytes", &[1]),
    ("double", &[1]),
    ("dyn", &[1]),
    ("int", &[1]),
    ("lists.range", &[1]),
    ("matches", &[2]),
    ("optional.none", &[0]),
    ("optional.of", &[1]),
    ("optional.ofNonZeroValue", &[1]),
    ("size", &[1]),
    ("string", &[1]),
    ("strings.quote", &[1]),
    ("type", &[1]),
    ("uint", &[1]),
];
const MEMBER: Arities = &[
    (internal::INDEX_OF, &[2]),
    (internal::LAST_INDEX_OF, &[2]),
    (internal::SORT_BY_KEYS, &[1]),
    ("charAt", &[1]),
    ("contains", &[1]),
    ("distinct", &[0]),
    ("endsWith", &[1]),
    ("flatten", &[0, 1]),
    ("format", &[1]),
    ("hasValue", &[0]),
    ("indexOf", &[1, 2]),
    ("join", &[0, 1]),
    ("lastIndexOf", &[1, 2]),
    ("lowerAscii", &[0]),
    ("matches", &[1]),
    ("or", &[1]),
    ("orValue", &[1]),
    ("replace", &[2, 3]),
    ("reverse", &[0]),
    ("size", &[0]),
    ("slice", &[2]),
    ("sort", &[0]),
    ("split", &[1, 2]),
    ("startsWith", &[1]),
    ("substring", &[1, 2]),
    ("trim", &[0]),
    ("upperAscii", &[0]),
    ("value", &[0]),
];

/// Functions of the authorizer: a cluster knows them, here their target is an error.
const AUTHORIZER: Arities = &[
    ("allowed", &[0]),
    ("check", &[1]),
    ("error", &[0]),
    ("errored", &[0]),
    ("fieldSelector", &[1]),
    ("group", &[1]),
    ("labelSelector", &[1]),
    ("name", &[1]),
    ("namespace", &[1]),
    ("path", &[1]),
    ("reason", &[0]),
    ("resource", &[1]),
    ("serviceAccount", &[2]),
    ("subresource", &[1]),
];

/// One library: its names, and its code.
struct Library {
    global: Arities,
    member: Arities,
    register: Register,
}

/// What declares a library's functions.
type Register = fn(&mut Env) -> Result<(), DeclarationError>;

const LIBRARIES: [Library; 11] = [
    differing::LIBRARY,
    format::LIBRARY,
    formatting::LIBRARY,
    lists::LIBRARY,
    net::LIBRARY,
    quantity::LIBRARY,
    regex::LIBRARY,
    sets::LIBRARY,
    time::LIBRARY,
    url::LIBRARY,
    versions::LIBRARY,
];

/// Every function that an expression may call.
pub(crate) struct Names {
    global: BTreeMap<&'static str, Vec<usize>>,
    member: BTreeMap<&'static str, Vec<usize>>,
}

impl Names {
    /// How many arguments the function of that whole name takes.
    pub(crate) fn global(&self, name: &str) -> Option<&[usize]> {
        self.global.get(name).map(Vec::as_slice)
    }

    /// How many arguments the function of that name takes that is called on a value.
    pub(crate) fn member(&self, name: &str) -> Option<&[usize]> {
        self.member.get(name).map(Vec::as_slice)
    }
}

/// The names of all libraries.
pub(crate) fn names() -> &'static Names {
    static NAMES: LazyLock<Names> = LazyLock::new(|| {
        let collect = |lists: Vec<Arities>| {
            let mut all: BTreeMap<&'static str, Vec<usize>> = BTreeMap::new();
            for (name, counts) in lists.into_iter().flatten() {
                all.entry(name).or_default().extend_from_slice(counts);
            }
            all
        };
        Names {
            global: collect(LIBRARIES.iter().map(|library| library.global).chain([GLOBAL]).collect()),
            member: collect(LIBRARIES.iter().map(|library| library.member).chain([MEMBER, AUTHORIZER]).collect()),
        }
    });
    &NAMES
}

/// CEL with the libraries of the newest Kubernetes.
pub fn environment() -> Env {
    let mut env = Env::stdlib();
    // Of entries with the same key, the last counts.
    env.set_error_on_duplicate_map_keys(false);
    let extensions: [Register; 2] = [cel::extensions::strings, cel::extensions::lists];
    for register in extensions.into_iter().chain(LIBRARIES.iter().map(|library| library.register)) {
        // Names are constants: either no expression ever works, or all do, and a test sees which.
        let declared = env.add_extension(register);
        debug_assert_eq!(declared, Ok(()));
    }
    env
}
