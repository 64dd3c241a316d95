//! Text from the input, made safe to show.

use std::borrow::Cow;

/// What stands for a character that a terminal would obey or hide: its picture where Unicode has one, U+FFFD elsewhere. `None` for
/// characters that are shown as they are.
///
/// Obeyed: the C0 and C1 controls (U+009B begins an escape sequence like ESC `[`), the directional marks, embeddings, overrides and
/// isolates, and the two separators. Hidden: zero-width and other format characters, which make two different strings look alike; that
/// this spoils some emoji and joined scripts is the lesser evil where audiences and subjects are compared by eye.
pub(crate) fn replacement(character: char) -> Option<char> {
    match character {
        '\0'..='\u{1f}' => char::from_u32(0x2400 + u32::from(character)),
        '\u{7f}' => Some('\u{2421}'),
        '\u{80}'..='\u{9f}'
        | '\u{ad}'
        | '\u{61c}'
        | '\u{180e}'
        | '\u{200b}'..='\u{200f}'
        | '\u{2028}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}'
        | '\u{feff}'
        | '\u{fff9}'..='\u{fffb}'
        | '\u{1d173}'..='\u{1d17a}'
        | '\u{e0000}'..='\u{e007f}' => Some(char::REPLACEMENT_CHARACTER),
        _ => None,
    }
}

/// Text of somebody else, safe to show on one line: what a terminal would obey or hide becomes its picture, or U+FFFD; tabs are spaces.
pub fn line(text: &str) -> Cow<'_, str> {
    with(text, |character| if character == '\t' { Some(' ') } else { replacement(character) })
}

/// For several lines: `\n` stays, and the caller indents what follows it, so that no line of the text begins where ours do.
pub(crate) fn block(text: &str) -> Cow<'_, str> {
    with(text, |character| match character {
        '\n' => None,
        '\t' => Some(' '),
        other => replacement(other),
    })
}

/// For a line that a CI system may read commands from, wherever they stand in it (`##[` and `##vso[`): no two `#` follow each other. `\n`
/// stays, and the caller escapes it.
pub(crate) fn command(text: &str) -> Cow<'_, str> {
    apart(block(text))
}

/// [`line()`], and no command of a CI system either.
pub(crate) fn word(text: &str) -> Cow<'_, str> {
    apart(line(text))
}

fn apart(text: Cow<'_, str>) -> Cow<'_, str> {
    if !text.contains("##") {
        return text;
    }
    let mut apart = String::with_capacity(text.len() + 8);
    for character in text.chars() {
        if character == '#' && apart.ends_with('#') {
            apart.push(' ');
        }
        apart.push(character);
    }
    apart.into()
}

/// A command's text with what would end it, or part of it, written otherwise.
pub(crate) fn escaped<'t>(text: &'t str, escapes: &[(char, &str)]) -> Cow<'t, str> {
    let clean = command(text);
    let escape = |character| escapes.iter().find(|(special, _)| *special == character).map(|(_, escape)| *escape);
    if !clean.chars().any(|character| escape(character).is_some()) {
        return clean;
    }
    let mut escaped = String::with_capacity(clean.len() + 16);
    for character in clean.chars() {
        match escape(character) {
            Some(escape) => escaped.push_str(escape),
            None => escaped.push(character),
        }
    }
    escaped.into()
}

/// Viewers make a link of `[text](address)`, even where text of the input says so: the brackets are kept apart.
pub(crate) fn unlinked(text: &str) -> Cow<'_, str> {
    if text.contains("](") { text.replace("](", "] (").into() } else { text.into() }
}

fn with(text: &str, replacement: impl Fn(char) -> Option<char>) -> Cow<'_, str> {
    if is_plain(text) {
        return Cow::Borrowed(text);
    }
    text.chars().map(|character| replacement(character).unwrap_or(character)).collect::<String>().into()
}

/// Whether the text is printable ASCII, as nearly all is.
pub(crate) fn is_plain(text: &str) -> bool {
    text.bytes().all(|byte| matches!(byte, b' '..=b'~'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_terminal_would_obey_becomes_visible() {
        assert_eq!(line("a\u{1b}[31mb\u{7}\r\n\tc"), "a␛[31mb␇␍␊ c");
        assert_eq!(line("x\u{9b}31m\u{85}\u{202e}y\u{2066}\u{200b}z\u{7f}"), "x�31m��y��z␡");
        assert_eq!(block("first\n\u{1b}second"), "first\n␛second");
        assert_eq!(command("a ####vso[x]\n##[y]"), "a # # # #vso[x]\n# #[y]");
        assert_eq!(word("##\u{200b}#\n"), "# #�#␊");
    }

    #[test]
    fn ordinary_text_is_not_copied() {
        assert!(matches!(line("plain `text`"), Cow::Borrowed(_)));
        assert_eq!(line("Grüße, 世界 😀 é"), "Grüße, 世界 😀 é");
    }
}
