//! What RE2 makes of a pattern, as far as it has to be known without it.

/// How often something may be repeated.
const REPEATS: u32 = 1000;

/// Whether RE2 refuses a pattern for certain. What is not certain is left to others.
pub(super) fn is_broken(pattern: &str) -> bool {
    // What stands in a quotation means nothing.
    let quotes = pattern.replace(r"\\", "").contains(r"\Q");
    !quotes && scan(pattern).is_none()
}

/// Goes through a pattern; `None` if it is broken.
fn scan(pattern: &str) -> Option<()> {
    let mut rest = pattern;
    let mut open: usize = 0;
    // Whether what stands before can be repeated, and whether it is a repetition already.
    let (mut can_repeat, mut is_repeated) = (false, false);
    while let Some(first) = rest.chars().next() {
        let after = rest.get(first.len_utf8()..)?;
        let (repeatable, repeated);
        (rest, repeatable, repeated) = match first {
            '\\' => (escape(after)?, true, false),
            '[' => (class(after)?, true, false),
            '(' => {
                let (after, opens) = group(after)?;
                open += usize::from(opens);
                // Flags alone stand between nothing.
                (after, can_repeat && !opens, false)
            }
            ')' => {
                open = open.checked_sub(1)?;
                (after, true, false)
            }
            '|' => (after, false, false),
            '*' | '+' | '?' => (lazy(after), can_repeat.then_some(true).filter(|_| !is_repeated)?, true),
            '{' => match counted(after) {
                Some((after, fits)) => (lazy(after), Some(true).filter(|_| fits && can_repeat && !is_repeated)?, true),
                // A brace like any other character.
                None => (after, true, false),
            },
            _ => (after, true, false),
        };
        (can_repeat, is_repeated) = (repeatable, repeated);
    }
    (open == 0).then_some(())
}

/// What follows a repetition, and the sign that it is to be short.
fn lazy(rest: &str) -> &str {
    rest.strip_prefix('?').unwrap_or(rest)
}

/// What follows an escaped character, of which only ASCII letters and digits mean anything else than themselves.
fn escape(rest: &str) -> Option<&str> {
    let escaped = rest.chars().next()?;
    let after = rest.get(escaped.len_utf8()..)?;
    let is_octal = |text: &str| text.starts_with(|digit: char| digit.is_digit(8));
    match escaped {
        // A number of one digit refers to a group, which RE2 cannot.
        '1'..='7' if !is_octal(after) => None,
        '8' | '9' => None,
        'p' | 'P' | 'x' => match after.strip_prefix('{') {
            Some(braced) => braced.split_once('}').map(|(_, after)| after),
            None => Some(after),
        },
        '0'..='7' => Some(after),
        'A' | 'B' | 'C' | 'D' | 'S' | 'W' | 'a' | 'b' | 'd' | 'f' | 'n' | 'r' | 's' | 't' | 'v' | 'w' | 'z' => Some(after),
        letter if letter.is_ascii_alphanumeric() => None,
        _ => Some(after),
    }
}

/// What follows a class of characters.
fn class(rest: &str) -> Option<&str> {
    let rest = rest.strip_prefix('^').unwrap_or(rest);
    let mut rest = rest.strip_prefix(']').unwrap_or(rest);
    loop {
        if let Some(end) = rest.strip_prefix("[:").and_then(|name| name.find(":]")) {
            rest = rest.get(end + 4..)?;
            continue;
        }
        let first = rest.chars().next()?;
        let after = rest.get(first.len_utf8()..)?;
        match first {
            ']' => return Some(after),
            // Letters that are no escape are left to others here.
            '\\' => rest = after.get(after.chars().next()?.len_utf8()..)?,
            _ => rest = after,
        }
    }
}

/// What follows the beginning of a group, and whether there is one: flags alone make none.
fn group(rest: &str) -> Option<(&str, bool)> {
    let Some(flags) = rest.strip_prefix('?') else { return Some((rest, true)) };
    if let Some(name) = flags.strip_prefix("P<").or_else(|| flags.strip_prefix('<')) {
        let (name, after) = name.split_once('>')?;
        let is_name = !name.is_empty() && name.chars().all(|character| character.is_ascii_alphanumeric() || character == '_');
        return is_name.then_some((after, true));
    }
    let end = flags.find([':', ')'])?;
    let (names, after) = flags.split_at_checked(end)?;
    let (set, unset) = names.split_once('-').map_or((names, None), |(set, unset)| (set, Some(unset)));
    let known = |names: &str| names.bytes().all(|flag| b"imsU".contains(&flag));
    if !known(set) || !unset.is_none_or(|unset| known(unset) && !unset.is_empty()) {
        return None;
    }
    Some((after.get(1..)?, after.starts_with(':')))
}

/// What follows `{2}`, `{2,}` or `{2,3}`, and whether RE2 repeats that often; `None` if it is none of these.
fn counted(rest: &str) -> Option<(&str, bool)> {
    let (counts, after) = rest.split_once('}')?;
    let (least, most) = counts.split_once(',').map_or((counts, None), |(least, most)| (least, Some(most)));
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit()) && (text.len() < 2 || !text.starts_with('0'));
    if least.is_empty() || !digits(least) || !most.is_none_or(digits) {
        return None;
    }
    let number = |text: &str| text.parse::<u32>().ok().filter(|count| *count <= REPEATS);
    let fits = match (number(least), most) {
        (Some(_), None | Some("")) => true,
        (Some(least), Some(most)) => number(most).is_some_and(|most| least <= most),
        (None, _) => false,
    };
    Some((after, fits))
}

/// Whether `regex-lite` reads a pattern in another way than RE2.
pub(super) fn reads_differently(pattern: &str) -> bool {
    let bytes = pattern.as_bytes();
    let at = |index: usize| bytes.get(index).copied().unwrap_or_default();
    // Folding the case of letters beyond ASCII is RE2's alone.
    let mut folds = false;
    let mut index = 0;
    while index < bytes.len() {
        match (at(index), at(index + 1)) {
            // Word edges by other names.
            (b'\\', b'<' | b'>') => return true,
            (b'\\', b'b') if at(index + 2) == b'{' => return true,
            (b'\\', _) => index += 1,
            // To RE2 no number of repetitions.
            (b'{' | b',', b'0') if at(index + 2).is_ascii_digit() => return true,
            (b'(', b'?') => {
                let flags = bytes.get(index + 2..).unwrap_or_default();
                folds |= flags.iter().take_while(|flag| flag.is_ascii_alphabetic()).any(|flag| *flag == b'i');
            }
            _ => {}
        }
        index += 1;
    }
    folds && !pattern.is_ascii()
}
