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

/// Whether one name, in lower case, is the other but for a slip: one letter in four at most, two in all. Parts between hyphens are
/// compared one by one, and names with digits of their own are both meant, as `team-a` and `team-b`, or `shop1` and `shop2`.
pub fn is_slip(one: &str, other: &str) -> bool {
    let near = |one: &str, other: &str| {
        let has_digit = |text: &str| text.bytes().any(|byte| byte.is_ascii_digit());
        let length = one.len().max(other.len());
        one == other || !has_digit(one) && !has_digit(other) && distance(one, other) <= (length / 4).min(2)
    };
    let parts = |text: &str| text.split('-').count();
    let is_near = if parts(one) == parts(other) {
        one.split('-').zip(other.split('-')).all(|(one, other)| near(one, other))
    } else {
        near(one, other)
    };
    is_near && one != other
}

#[cfg(test)]
mod tests {
    use super::{is_slip, nearest};

    #[test]
    fn names_that_are_both_meant_are_no_slips() {
        for (one, other) in [("shp", "shop"), ("payments", "payment"), ("shop-produciton", "shop-production"), ("shopweb", "shop-web")] {
            assert!(is_slip(one, other) && is_slip(other, one), "{one} {other}");
        }
        for (one, other) in [
            ("shop", "shop"),
            ("team-a", "team-b"),
            ("shop1", "shop2"),
            ("shop-2", "shop"),
            ("shop-eu", "shop-us"),
            ("shop-app", "shop-api"),
            ("shop-east", "shop-west"),
            ("dev", "prod"),
            ("shop", "shop-qa"),
            ("staging", "production"),
        ] {
            assert!(!is_slip(one, other) && !is_slip(other, one), "{one} {other}");
        }
    }

    #[test]
    fn takes_the_nearest_slip_and_nothing_far() {
        assert_eq!(nearest("severites", ["severities", "onUpdate"]), Some("severities"));
        assert_eq!(nearest("api://azureadtokenexchange", ["api://AzureADTokenExchange"]), Some("api://AzureADTokenExchange"));
        assert_eq!(nearest("argo-events-sa", ["argo-sa", "argo-event-sa"]), Some("argo-event-sa"));
        assert_eq!(nearest("vault", ["api://AzureADTokenExchange"]), None);
    }
}
