//! Sets: lists compared without order (cel-go's extension).

use cel::common::types::{CelBool, LIST_TYPE};
use cel::common::value::{CowVal, Val};
use cel::{DeclarationError, Env, ExecutionError};

use super::Library;
use super::lists::elements;

pub(super) const LIBRARY: Library =
    Library { global: &[("sets.contains", &[2]), ("sets.intersects", &[2]), ("sets.equivalent", &[2])], member: &[], register };

fn register(env: &mut Env) -> Result<(), DeclarationError> {
    let lists = || vec![LIST_TYPE, LIST_TYPE];
    env.add_overload("sets.contains", "list_sets_contains_list", lists(), |args| answer(all_in(&args, 1, 0)))?;
    env.add_overload("sets.intersects", "list_sets_intersects_list", lists(), |args| {
        answer(elements(&args, 0).iter().any(|item| is_in(item.as_ref(), elements(&args, 1))))
    })?;
    env.add_overload("sets.equivalent", "list_sets_equivalent_list", lists(), |args| answer(all_in(&args, 0, 1) && all_in(&args, 1, 0)))
}

fn answer<'b, 'v>(value: bool) -> Result<CowVal<'b, 'v>, ExecutionError> {
    Ok(CowVal::owned(CelBool::from(value)))
}

fn is_in<'v>(wanted: &(dyn Val + 'v), list: &[Box<dyn Val + 'v>]) -> bool {
    list.iter().any(|item| item.equals(wanted))
}

fn all_in(args: &[CowVal<'_, '_>], part: usize, whole: usize) -> bool {
    elements(args, part).iter().all(|item| is_in(item.as_ref(), elements(args, whole)))
}
