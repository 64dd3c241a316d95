//! Lists in sentences for people.

/// How many items of a list are said.
const SAID: usize = 5;

/// Characters of one item that are said.
const LONGEST: usize = 200;

/// The first few of a list, with a count of the rest: a repository may have any number of what a note is about.
#[must_use]
pub fn few(items: &[String]) -> String {
    let cut = |item: &String| match item.char_indices().nth(LONGEST).and_then(|(end, _)| item.get(..end)) {
        Some(kept) => format!("{kept}…"),
        None => item.clone(),
    };
    // One more takes no more room than to say so.
    let said = if items.len() == SAID + 1 { items.len() } else { SAID };
    let listed: Vec<String> = items.iter().take(said).map(cut).collect();
    match items.len().saturating_sub(said) {
        0 => listed.join(", "),
        more => format!("{} and {more} more", listed.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::few;

    #[test]
    fn the_rest_of_a_list_is_counted() {
        let said = |count: usize| few(&(0..count).map(|number| number.to_string()).collect::<Vec<_>>());
        assert_eq!(said(0), "");
        assert_eq!(said(2), "0, 1");
        assert_eq!(said(6), "0, 1, 2, 3, 4, 5");
        assert_eq!(said(50), "0, 1, 2, 3, 4 and 45 more");
        assert_eq!(few(&["ü".repeat(1_000)]).chars().count(), 201);
    }
}
