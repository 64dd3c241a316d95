//! Samples replaced by values.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use fedward_manifest::decode_base64;

/// Shorter runs of letters are no base64 of anything that holds a sample.
const MIN_BASE64: usize = 16;

/// Replaces every sample, each a pair of sample and value, where it stands as a word of its own, and in texts that are base64. Of samples
/// that begin at one place the longest is meant.
pub(crate) fn render(text: &str, pairs: &[(&str, &str)]) -> String {
    replace(text, pairs, |before, rest| encoded(before, rest, pairs)).0
}

/// The text with samples replaced, and whether there was any. What is no sample `other` may replace, which gets the letter before and the
/// text from there on, and says how long the piece is that it replaces.
fn replace(text: &str, pairs: &[(&str, &str)], other: impl Fn(Option<char>, &str) -> Option<(usize, String)>) -> (String, bool) {
    let mut out = String::with_capacity(text.len());
    let (mut rest, mut before, mut is_changed) = (text, None, false);
    while let Some(letter) = rest.chars().next() {
        let fits = |sample: &str| rest.strip_prefix(sample).is_some_and(|after| is_word(before, sample, after.chars().next()));
        let found = pairs.iter().filter(|(sample, _)| fits(sample)).max_by_key(|(sample, _)| sample.len());
        let taken = if let Some((sample, value)) = found {
            is_changed = true;
            out.push_str(value);
            sample.len()
        } else if let Some((length, instead)) = other(before, rest) {
            out.push_str(&instead);
            length
        } else {
            out.push(letter);
            letter.len_utf8()
        };
        let (done, after) = rest.split_at(taken);
        before = done.chars().next_back();
        rest = after;
    }
    (out, is_changed)
}

/// Whether a sample stands as a word of its own between two letters: it is not the middle of a longer word. `-` ends a word, since
/// names are made of others with it.
pub(crate) fn is_word(before: Option<char>, sample: &str, after: Option<char>) -> bool {
    let is_letter = |letter: char| letter.is_alphanumeric() || letter == '_';
    let joins = |one: Option<char>, other: Option<char>| one.is_some_and(is_letter) && other.is_some_and(is_letter);
    !joins(before, sample.chars().next()) && !joins(sample.chars().next_back(), after)
}

/// The length of the run of base64 that a text begins with, and what is to stand in its place, if its text holds a sample.
fn encoded(before: Option<char>, text: &str, pairs: &[(&str, &str)]) -> Option<(usize, String)> {
    let is_digit = |letter: char| letter.is_ascii_alphanumeric() || letter == '+' || letter == '/';
    if before.is_some_and(is_digit) {
        return None;
    }
    let digits = text.find(|letter| !is_digit(letter)).unwrap_or(text.len());
    let padding = text.get(digits..)?.bytes().take(2).take_while(|byte| *byte == b'=').count();
    let run = text.get(..digits + padding).filter(|run| run.len() >= MIN_BASE64)?;
    let decoded = String::from_utf8(decode_base64(run)?).ok()?;
    let (rendered, is_changed) = replace(&decoded, pairs, |_, _| None);
    is_changed.then(|| (run.len(), BASE64_STANDARD.encode(rendered)))
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;
    use base64::prelude::BASE64_STANDARD;

    use super::render;

    const PAIRS: [(&str, &str); 4] =
        [("shop", "store"), ("shop-prod", "live"), ("eu-1", "us-2"), ("https://eu-1.example/id/", "https://own.example/")];

    #[test]
    fn words_are_replaced_and_parts_of_words_are_not() {
        for (text, want) in [
            ("namespace: shop", "namespace: store"),
            ("shop-data, workshop, shops, shop_1, shop.shop", "store-data, workshop, shops, shop_1, store.store"),
            ("shop-prod-1 of shop", "live-1 of store"),
            ("shop-production", "store-production"),
            ("\"https://eu-1.example/id/\"", "\"https://own.example/\""),
            ("a:eu-1:shop/eu-1", "a:us-2:store/us-2"),
            ("größe-shop, größeshop", "größe-store, größeshop"),
            ("", ""),
        ] {
            assert_eq!(render(text, &PAIRS), want);
        }
    }

    /// A value may be another's sample: everything is replaced at once.
    #[test]
    fn values_are_not_replaced_again() {
        assert_eq!(render("shop eu-1", &[("shop", "eu-1"), ("eu-1", "shop")]), "eu-1 shop");
    }

    #[test]
    fn base64_is_looked_into() {
        let text = |inner: &str| {
            format!("data:\n  key: {}\n  other: \"{}\"\n", BASE64_STANDARD.encode(inner), BASE64_STANDARD.encode("none in here"))
        };
        assert_eq!(render(&text("{\"namespace\": \"shop\"}"), &PAIRS), text("{\"namespace\": \"store\"}"));
        // Not what only looks like it: the letters stay.
        let same = "/var/run/secrets/azure/tokens/abcdefghijklmnopqrstuvwx";
        assert_eq!(render(same, &PAIRS), same);
    }
}
