//! Pairs of what was expected and what was found.

use std::collections::BTreeMap;

/// As many pairs as there can be of `expected` and `got` that fit, each in one pair at most: an expectation that says little leaves to one
/// that says more what only that one fits. By augmenting paths, without recursion.
pub(crate) fn pairs(expected: usize, got: usize, fits: impl Fn(usize, usize) -> bool) -> BTreeMap<usize, usize> {
    let mut owner: Vec<Option<usize>> = vec![None; got];
    for start in 0..expected {
        // Breadth first: from an expectation to what it fits, and from there to the expectation that has it.
        let mut from: Vec<Option<usize>> = vec![None; got];
        let mut queue = std::collections::VecDeque::from([start]);
        let mut free = None;
        while let Some(one) = queue.pop_front() {
            for other in 0..got {
                let is_new = from.get(other).is_some_and(Option::is_none);
                if !is_new || !fits(one, other) {
                    continue;
                }
                if let Some(slot) = from.get_mut(other) {
                    *slot = Some(one);
                }
                match owner.get(other).copied().flatten() {
                    Some(has) => queue.push_back(has),
                    None => {
                        free = Some(other);
                        break;
                    }
                }
            }
            if free.is_some() {
                break;
            }
        }
        let had: BTreeMap<usize, usize> = owner.iter().enumerate().filter_map(|(other, one)| Some(((*one)?, other))).collect();
        // Back along the way: each takes what the next one had.
        while let Some(other) = free {
            let Some(one) = from.get(other).copied().flatten() else { break };
            if let Some(slot) = owner.get_mut(other) {
                *slot = Some(one);
            }
            free = if one == start { None } else { had.get(&one).copied() };
        }
    }
    owner.iter().enumerate().filter_map(|(other, one)| Some(((*one)?, other))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_says_little_gives_way() {
        // The first fits both, the second only the first finding.
        let fits = |one: usize, other: usize| one == 0 || other == 0;
        assert_eq!(pairs(2, 2, fits), BTreeMap::from([(0, 1), (1, 0)]));
        assert_eq!(pairs(2, 1, fits).len(), 1);
        assert_eq!(pairs(0, 3, fits), BTreeMap::new());
        // A chain: each is displaced by the next.
        let chain = |one: usize, other: usize| other == one || other + 1 == one || (one == 0 && other == 3);
        assert_eq!(pairs(4, 4, chain).len(), 4);
    }

    #[test]
    fn many_are_paired_in_time() {
        assert_eq!(pairs(1_000, 1_000, |_, _| true).len(), 1_000);
        assert_eq!(pairs(1_000, 1_000, |one, other| one == other).len(), 1_000);
    }
}
