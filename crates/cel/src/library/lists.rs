//! Lists: `isSorted`, `sum`, `min`, `max`, `indexOf`, `lastIndexOf` (Kubernetes), and what macros with two variables expand to.

use std::cmp::Ordering;

use cel::common::types::{CelInt, CelList, CelMap, CelString, DYN_TYPE, LIST_TYPE, MAP_TYPE};
use cel::common::value::{CowVal, Val};
use cel::{DeclarationError, Env, ExecutionError};

use super::{Library, internal};
use crate::errors::failed;

pub(super) const LIBRARY: Library = Library {
    global: &[],
    member: &[("isSorted", &[0]), ("sum", &[0]), ("min", &[0]), ("max", &[0]), ("indexOf", &[1]), ("lastIndexOf", &[1])],
    register,
};

type Answer<'b, 'v> = Result<CowVal<'b, 'v>, ExecutionError>;

fn register(env: &mut Env) -> Result<(), DeclarationError> {
    env.add_member_overload("isSorted", "list_is_sorted", LIST_TYPE, vec![], is_sorted)?;
    env.add_member_overload("sum", "list_sum", LIST_TYPE, vec![], sum)?;
    env.add_member_overload("min", "list_min", LIST_TYPE, vec![], |args| best("min", &args, Ordering::Less))?;
    env.add_member_overload("max", "list_max", LIST_TYPE, vec![], |args| best("max", &args, Ordering::Greater))?;
    env.add_member_overload("indexOf", "list_index_of", LIST_TYPE, vec![DYN_TYPE], index_of)?;
    env.add_member_overload("lastIndexOf", "list_last_index_of", LIST_TYPE, vec![DYN_TYPE], last_index_of)?;
    env.add_overload(internal::IS_PLAIN, "is_plain", vec![DYN_TYPE], is_plain)?;
    env.add_overload(internal::KEYS, "list_keys", vec![LIST_TYPE], keys)?;
    env.add_overload(internal::KEYS, "map_keys", vec![MAP_TYPE], keys)?;
    env.add_overload(internal::INSERT, "map_insert", vec![MAP_TYPE, DYN_TYPE, DYN_TYPE], insert)?;
    env.add_overload(internal::INSERT_ALL, "map_insert_all", vec![MAP_TYPE, MAP_TYPE], insert_all)
}

fn is_plain<'b, 'v>(args: Vec<CowVal<'b, 'v>>) -> Answer<'b, 'v> {
    let of = args.first().map_or("", |value| value.get_type().name());
    let plain = matches!(
        of,
        "null_type" | "bool" | "int" | "uint" | "double" | "string" | "bytes" | "google.protobuf.Timestamp" | "google.protobuf.Duration"
    );
    Ok(CowVal::owned(cel::common::types::CelBool::from(plain)))
}

/// The elements of the list that is an overload's argument.
pub(super) fn elements<'a, 'v>(args: &'a [CowVal<'_, 'v>], index: usize) -> &'a [Box<dyn Val + 'v>] {
    args.get(index).and_then(|list| list.downcast_ref::<CelList<'v>>()).map_or(&[], |list| list.inner())
}

fn compare(function: &str, left: &dyn Val, right: &dyn Val) -> Result<Ordering, ExecutionError> {
    left.as_comparer()
        .and_then(|comparer| comparer.compare(right).ok())
        .ok_or_else(|| failed(function, "the elements cannot be compared with each other"))
}

fn is_sorted<'b, 'v>(args: Vec<CowVal<'b, 'v>>) -> Answer<'b, 'v> {
    for pair in elements(&args, 0).windows(2) {
        if let [left, right] = pair
            && compare("isSorted", left.as_ref(), right.as_ref())? == Ordering::Greater
        {
            return Ok(CowVal::owned(cel::common::types::CelBool::from(false)));
        }
    }
    Ok(CowVal::owned(cel::common::types::CelBool::from(true)))
}

fn sum<'b, 'v>(args: Vec<CowVal<'b, 'v>>) -> Answer<'b, 'v> {
    let mut items = elements(&args, 0).iter();
    let Some(first) = items.next() else { return Ok(CowVal::owned(CelInt::from(0))) };
    if !matches!(first.get_type().name(), "int" | "uint" | "double" | "google.protobuf.Duration") {
        return Err(failed("sum", "the elements are neither numbers nor durations"));
    }
    let mut total: Box<dyn Val + 'v> = first.clone_as_boxed();
    for item in items {
        let adder = total.as_adder().ok_or_else(|| failed("sum", "the elements cannot be added"))?;
        total = adder.add(item.as_ref())?.into_owned();
    }
    Ok(CowVal::Owned(total))
}

fn best<'b, 'v>(function: &str, args: &[CowVal<'b, 'v>], wanted: Ordering) -> Answer<'b, 'v> {
    let mut items = elements(args, 0).iter();
    let mut best = items.next().ok_or_else(|| failed(function, "the list is empty"))?;
    // One element must be comparable too.
    compare(function, best.as_ref(), best.as_ref())?;
    for item in items {
        let comparer = item.as_comparer().ok_or_else(|| failed(function, "the elements cannot be compared with each other"))?;
        // Of those of different types Kubernetes keeps the one that came before.
        if comparer.compare(best.as_ref()).is_ok_and(|order| order == wanted) {
            best = item;
        }
    }
    Ok(CowVal::Owned(best.clone_as_boxed()))
}

fn position(index: Option<usize>) -> CelInt {
    CelInt::from(index.and_then(|index| i64::try_from(index).ok()).unwrap_or(-1))
}

fn index_of<'b, 'v>(args: Vec<CowVal<'b, 'v>>) -> Answer<'b, 'v> {
    let wanted = args.get(1).ok_or_else(|| failed("indexOf", "an argument is missing"))?;
    Ok(CowVal::owned(position(elements(&args, 0).iter().position(|item| item.equals(wanted.as_ref())))))
}

fn last_index_of<'b, 'v>(args: Vec<CowVal<'b, 'v>>) -> Answer<'b, 'v> {
    let wanted = args.get(1).ok_or_else(|| failed("lastIndexOf", "an argument is missing"))?;
    Ok(CowVal::owned(position(elements(&args, 0).iter().rposition(|item| item.equals(wanted.as_ref())))))
}

fn keys<'b, 'v>(args: Vec<CowVal<'b, 'v>>) -> Answer<'b, 'v> {
    let keys: Vec<Box<dyn Val + 'v>> = match args.first().and_then(|map| map.downcast_ref::<CelMap<'v>>()) {
        Some(map) => map.inner().keys().map(|key| key.inner().clone_as_boxed()).collect(),
        None => (0..elements(&args, 0).len() as i64).map(|index| Box::new(CelInt::from(index)) as Box<dyn Val + 'v>).collect(),
    };
    Ok(CowVal::owned(CelList::from(keys)))
}

/// The map that is the first argument, to be changed.
fn own_map<'v>(map: CowVal<'_, 'v>) -> Result<CelMap<'v>, ExecutionError> {
    map.downcast_ref::<CelMap<'v>>().cloned().ok_or_else(|| failed("transformMap", "not a map"))
}

fn insert<'b, 'v>(args: Vec<CowVal<'b, 'v>>) -> Answer<'b, 'v> {
    let [map, key, value] = <[CowVal<'b, 'v>; 3]>::try_from(args).map_err(|_| failed("transformMap", "an argument is missing"))?;
    let mut map = own_map(map)?.into_inner();
    map.insert(key.try_into()?, value.into_owned());
    Ok(CowVal::owned(CelMap::from(map)))
}

fn insert_all<'b, 'v>(args: Vec<CowVal<'b, 'v>>) -> Answer<'b, 'v> {
    let [map, more] = <[CowVal<'b, 'v>; 2]>::try_from(args).map_err(|_| failed("transformMapEntry", "an argument is missing"))?;
    let mut map = own_map(map)?.into_inner();
    for (key, value) in own_map(more)?.into_inner() {
        if map.insert(key, value).is_some() {
            return Err(failed("transformMapEntry", "a key is repeated"));
        }
    }
    Ok(CowVal::owned(CelMap::from(map)))
}

/// A list of strings.
pub(super) fn strings<'t>(texts: impl Iterator<Item = &'t str>) -> CelList<'static> {
    CelList::from(texts.map(|text| Box::new(CelString::from(text.to_owned())) as Box<dyn Val>).collect::<Vec<_>>())
}
