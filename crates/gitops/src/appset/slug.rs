//! Names of branches as parts of URLs.

/// What `github.com/gosimple/slug` makes of a text, with `_` taken for `-`; `None` where characters would have to be put into ASCII, for
/// which it has tables.
pub(super) fn slug(text: &str) -> Option<String> {
    if !text.is_ascii() {
        return None;
    }
    let mut out = String::new();
    for character in text.trim().chars() {
        match character {
            '"' | '\'' => {}
            '&' => out.push_str("and"),
            '@' => out.push_str("at"),
            character if character.is_ascii_alphanumeric() => out.push(character.to_ascii_lowercase()),
            _ if out.ends_with('-') => {}
            _ => out.push('-'),
        }
    }
    Some(out.trim_matches('-').to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Recorded from the library.
    #[test]
    fn slugs_are_those_of_the_library() {
        for (text, expected) in [
            ("main", "main"),
            ("Feature/Some_Thing", "feature-some-thing"),
            ("a--b__c", "a-b-c"),
            (" it's \"this\" & that@home ", "its-this-and-thatathome"),
            ("-x-", "x"),
            ("v1.2.3", "v1-2-3"),
            ("a'_b", "a-b"),
            ("_'_", ""),
        ] {
            assert_eq!(slug(text).as_deref(), Some(expected), "{text}");
        }
        assert_eq!(slug("grün"), None);
    }
}
