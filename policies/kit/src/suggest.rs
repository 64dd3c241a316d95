//! "Did you mean …?"

/// The candidate nearest to `word`, if it is near enough to be a slip: at most a third of its letters differ, letter case aside.
pub fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    // Edit distance costs the product of both lengths: nothing that long is a slip of the keyboard.
    if word.is_empty() || word.len() > 300 {
        return None;
    }
    let lower = word.to_ascii_lowercase();
    let (length, most) = (lower.chars().count(), |candidate: &str| candidate.chars().count().max(3) / 3);
    candidates
        .into_iter()
        .filter(|candidate| candidate.len() <= 300 && *candidate != word)
        // Words of very different lengths are far apart without a closer look.
        .filter(|candidate| candidate.chars().count().abs_diff(length) <= most(candidate))
        .map(|candidate| (strsim::osa_distance(&lower, &candidate.to_ascii_lowercase()), candidate))
        .filter(|(distance, candidate)| *distance <= most(candidate))
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// How many letters have to be changed, added, left out or swapped to make one word of the other, letter case counted. Words longer than
/// 300 bytes are infinitely far apart.
pub fn distance(one: &str, other: &str) -> usize {
    if one.len().max(other.len()) > 300 { usize::MAX } else { strsim::osa_distance(one, other) }
}

#[cfg(test)]
mod tests {
    use super::nearest;

    #[test]
    fn takes_the_nearest_slip_and_nothing_far() {
        assert_eq!(nearest("severites", ["severities", "onUpdate"]), Some("severities"));
        assert_eq!(nearest("api://azureadtokenexchange", ["api://AzureADTokenExchange"]), Some("api://AzureADTokenExchange"));
        assert_eq!(nearest("argo-events-sa", ["argo-sa", "argo-event-sa"]), Some("argo-event-sa"));
        assert_eq!(nearest("vault", ["api://AzureADTokenExchange"]), None);
    }
}
