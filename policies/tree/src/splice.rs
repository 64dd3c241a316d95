//! Changes in JSON text that leave every other byte as it is: what the tree does not keep of a number, an escape or a key that stands
//! twice stays as whoever wrote the text meant it.

use std::ops::Range;

use bumpalo::Bump;

use crate::value::Value;

/// The stretch of JSON text that the value under these keys takes, from the outermost inwards; the index of an element is its digits. Of a
/// key that stands twice the last one counts, as in the tree. `None` where nothing is.
///
/// The text has to be JSON: of any other nobody knows what is found.
pub fn find<'k>(text: &str, keys: impl IntoIterator<Item = &'k str>) -> Option<Range<usize>> {
    let scan = Scan(text);
    keys.into_iter().try_fold(scan.value(0)?, |value, key| scan.child(value, key))
}

/// The text with `value`, which is JSON itself, for the last of the keys: in the place of what is there, or else at the end of the map
/// that the other keys lead to. `None` if they lead to none.
pub fn set(text: &str, keys: &[&str], value: &str) -> Option<String> {
    let (last, above) = keys.split_last()?;
    let map = find(text, above.iter().copied())?;
    if !text.get(map.clone())?.starts_with('{') {
        return None;
    }
    let scan = Scan(text);
    let (place, mut with) = match scan.child(map.clone(), last) {
        Some(place) => (place, String::new()),
        None => {
            let end = map.end - 1;
            let is_empty = text.get(map.start + 1..end)?.trim_ascii().is_empty();
            let mut with = if is_empty { String::new() } else { ",".to_owned() };
            crate::json::write_string(last, &mut with);
            with.push(':');
            (end..end, with)
        }
    };
    with.push_str(value);
    Some([text.get(..place.start)?, &with, text.get(place.end..)?].concat())
}

/// JSON text, walked without a tree.
#[derive(Clone, Copy)]
struct Scan<'t>(&'t str);

impl<'t> Scan<'t> {
    fn byte(self, at: usize) -> Option<u8> {
        self.0.as_bytes().get(at).copied()
    }

    fn blank(self, mut at: usize) -> usize {
        while matches!(self.byte(at), Some(b' ' | b'\n' | b'\t' | b'\r')) {
            at += 1;
        }
        at
    }

    /// The value that begins at a place or after the blank space there.
    fn value(self, at: usize) -> Option<Range<usize>> {
        let start = self.blank(at);
        let (mut at, mut depth) = (start, 0_usize);
        loop {
            match self.byte(at)? {
                b'"' => at = self.string(at)?,
                b'{' | b'[' => (at, depth) = (at + 1, depth + 1),
                b'}' | b']' => (at, depth) = (at + 1, depth.checked_sub(1)?),
                _ if depth > 0 => at += 1,
                // A number or a word.
                _ => {
                    while matches!(self.byte(at), Some(b'-' | b'+' | b'.' | b'0'..=b'9' | b'a'..=b'z' | b'E')) {
                        at += 1;
                    }
                    return (at > start).then_some(start..at);
                }
            }
            if depth == 0 {
                return Some(start..at);
            }
        }
    }

    /// The end of a string, from its opening quote.
    fn string(self, mut at: usize) -> Option<usize> {
        loop {
            at += 1;
            match self.byte(at)? {
                b'"' => return Some(at + 1),
                b'\\' => at += 1,
                _ => {}
            }
        }
    }

    /// The member or element of a value.
    fn child(self, of: Range<usize>, key: &str) -> Option<Range<usize>> {
        let is_map = self.byte(of.start)? == b'{';
        if !is_map && self.byte(of.start)? != b'[' {
            return None;
        }
        let mut at = self.blank(of.start + 1);
        let (mut found, mut index) = (None, 0_usize);
        while at + 1 < of.end {
            let mut is_it = !is_map && key.parse() == Ok(index);
            if is_map {
                let name = self.value(at)?;
                is_it = self.is_key(name.clone(), key);
                // The colon.
                at = self.blank(name.end) + 1;
            }
            let value = self.value(at)?;
            // The comma, or the end.
            at = self.blank(self.blank(value.end) + 1);
            index += 1;
            if is_it {
                found = Some(value);
            }
        }
        found
    }

    /// Whether a string says the key.
    fn is_key(self, string: Range<usize>, key: &str) -> bool {
        let text = self.0.get(string).unwrap_or_default();
        if !text.contains('\\') {
            return text.strip_prefix('"').and_then(|text| text.strip_suffix('"')) == Some(key);
        }
        Value::from_json(text.as_bytes(), &Bump::new()) == Ok(Value::Str(key))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::string_slice, reason = "tests")]

    use super::{find, set};

    #[test]
    fn finds_what_the_tree_has() {
        let text = r#" { "a" : [ 1, -2.50e+3 , "x\"]}" , {"\u0062/~": true , "c":null} ] , "a~" : { } , "d":"\\", "a":[{"b":1 }],"e" : 7}"#;
        for (keys, want) in [
            (&[][..], Some(text.trim())),
            (&["d"], Some(r#""\\""#)),
            (&["a~"], Some("{ }")),
            (&["e"], Some("7")),
            // The second one.
            (&["a"], Some(r#"[{"b":1 }]"#)),
            (&["a", "0"], Some(r#"{"b":1 }"#)),
            (&["a", "0", "b"], Some("1")),
            (&["a", "1"], None),
            (&["a", "b"], None),
            (&["d", "0"], None),
            (&["f"], None),
        ] {
            assert_eq!(find(text, keys.iter().copied()).map(|range| &text[range]), want, "{keys:?}");
        }
        let list = r#"[0.10, -0, [ ], "é\u00e9", {"\u0062/~" : 1E5}]"#;
        let at = |keys: &[&str]| find(list, keys.iter().copied()).map(|range| &list[range]);
        assert_eq!(["0", "1", "2", "3"].map(|index| at(&[index])), [Some("0.10"), Some("-0"), Some("[ ]"), Some(r#""é\u00e9""#)]);
        assert_eq!((at(&["4", "b/~"]), at(&["5"])), (Some("1E5"), None));
    }

    #[test]
    fn changes_nothing_else() {
        for (text, keys, want) in [
            ("{}", &["a"][..], Some(r#"{"a":"v"}"#)),
            (" { \n } ", &["a"], Some(" { \n \"a\":\"v\"} ")),
            (r#"{"n":1.0e0,"n":2.50 }"#, &["a\"b"], Some(r#"{"n":1.0e0,"n":2.50 ,"a\"b":"v"}"#)),
            (r#"{"m":{"x":[{"y":{}}]},"z":1}"#, &["m", "x", "0", "y", "k"], Some(r#"{"m":{"x":[{"y":{"k":"v"}}]},"z":1}"#)),
            (r#"{"l":null ,"z":1}"#, &["l"], Some(r#"{"l":"v" ,"z":1}"#)),
            // Only the last one counts.
            (r#"{"l":1,"l":{}}"#, &["l", "k"], Some(r#"{"l":1,"l":{"k":"v"}}"#)),
            ("[1]", &["0"], None),
            ("{}", &["a", "b"], None),
            ("{}", &[], None),
        ] {
            assert_eq!(set(text, keys, r#""v""#).as_deref(), want, "{text}");
        }
    }

    #[test]
    fn other_text_breaks_nothing() {
        for text in ["", "{", "{\"", "{\"a\"", "{\"a\":", "[1,", "}", "\"\\", "{\"a\":1}}", "{a:1}", "[,]", "nul"] {
            let _ = (find(text, ["a"]), find(text, ["0"]), set(text, &["a"], "1"), set(text, &["a", "b"], "1"));
        }
    }
}
