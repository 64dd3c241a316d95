//! The words of the fixtures, as a dictionary for libFuzzer: keys and values that byte flips would never find.

use std::collections::BTreeMap;
use std::fmt::Write as _;

/// Words that are worth trying, most common first.
const MOST: usize = 3000;

/// The dictionary of some texts.
pub(crate) fn of(texts: &[String]) -> String {
    let mut count: BTreeMap<&str, usize> = BTreeMap::new();
    for word in texts.iter().flat_map(|text| text.split_whitespace()) {
        let word = word.trim_matches(['"', '\'', ',', '{', '}', '[', ']']);
        if (3..=60).contains(&word.len()) {
            *count.entry(word).or_default() += 1;
        }
    }
    let mut words: Vec<_> = count.into_iter().collect();
    words.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    let mut dictionary = String::new();
    for (word, _) in words.into_iter().take(MOST) {
        dictionary.push('"');
        for byte in word.bytes() {
            match byte {
                b'"' | b'\\' => _ = write!(dictionary, "\\{}", char::from(byte)),
                b' '..=b'~' => dictionary.push(char::from(byte)),
                _ => _ = write!(dictionary, "\\x{byte:02X}"),
            }
        }
        dictionary.push_str("\"\n");
    }
    dictionary
}

#[cfg(test)]
mod tests {
    use super::of;

    #[test]
    fn words_are_escaped_and_sorted_by_how_often_they_stand_there() {
        assert_eq!(of(&["kind: x\\y kind: \"é\u{301}\"".to_owned()]), "\"kind:\"\n\"x\\\\y\"\n\"\\xC3\\xA9\\xCC\\x81\"\n");
    }
}
