//! Sorting in little room. In a module, each use of the standard library's sort is a copy of some 8 KB.

use std::cmp::Ordering;

/// Sorts by `compare`; what compares as equal keeps its order.
pub fn sort<T>(items: &mut Vec<T>, compare: &dyn Fn(&T, &T) -> Ordering) {
    let goes_later = |one: usize, other: usize| match (items.get(one), items.get(other)) {
        (Some(one), Some(other)) => compare(one, other) == Ordering::Greater,
        _ => false,
    };
    let order = order(items.len(), &goes_later);
    let mut taken: Vec<Option<T>> = std::mem::take(items).into_iter().map(Some).collect();
    items.extend(order.into_iter().filter_map(|at| taken.get_mut(at)?.take()));
}

/// The numbers below `count` in order: runs of one, two, four … are merged, so that it takes `count * log(count)` steps at most.
fn order(count: usize, goes_later: &dyn Fn(usize, usize) -> bool) -> Vec<usize> {
    let mut from: Vec<usize> = (0..count).collect();
    let mut width = 1;
    while width < count {
        let mut to = Vec::with_capacity(count);
        for run in from.chunks(width * 2) {
            let (mut one, mut other) = run.split_at(width.min(run.len()));
            while let (Some((first, rest)), Some((second, more))) = (one.split_first(), other.split_first()) {
                if goes_later(*first, *second) {
                    to.push(*second);
                    other = more;
                } else {
                    to.push(*first);
                    one = rest;
                }
            }
            to.extend_from_slice(one);
            to.extend_from_slice(other);
        }
        from = to;
        width *= 2;
    }
    from
}

#[cfg(test)]
mod tests {
    use super::sort;

    #[test]
    fn it_sorts_as_the_standard_library_does() {
        let mut state = 7_u32;
        for length in (0..40).chain([1000]) {
            let mut items: Vec<(u32, usize)> = (0..length)
                .map(|place| {
                    state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                    (state >> 28, place)
                })
                .collect();
            let mut want = items.clone();
            want.sort_by_key(|(key, _)| *key);
            sort(&mut items, &|one, other| one.0.cmp(&other.0));
            assert_eq!(items, want);
        }
    }
}
