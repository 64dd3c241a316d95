//! Schedules and durations of sync windows, as Argo CD reads them: `robfig/cron` with five fields and no `@` words, and Go's
//! `time.ParseDuration`. Crates for cron read other dialects: a seventh weekday, seconds, `L`.

/// The five fields: what each is, its least and greatest value, and names for its values from the least on.
const FIELDS: [(&str, u32, u32, &[&str]); 5] = [
    ("the minute", 0, 59, &[]),
    ("the hour", 0, 23, &[]),
    ("the day of the month", 1, 31, &[]),
    ("the month", 1, 12, &["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]),
    ("the day of the week", 0, 6, &["sun", "mon", "tue", "wed", "thu", "fri", "sat"]),
];

/// What is wrong with a schedule.
pub(crate) fn schedule_problem(text: &str) -> Option<String> {
    let mut rest = text;
    if let Some(after) = ["TZ=", "CRON_TZ="].iter().find_map(|prefix| text.strip_prefix(prefix)) {
        let Some((_, after)) = after.split_once(' ') else { return Some("there is nothing behind the time zone".to_owned()) };
        rest = after.trim();
    }
    if rest.starts_with('@') {
        return Some("words with `@` are not read here".to_owned());
    }
    let fields: Vec<&str> = rest.split_whitespace().collect();
    if fields.len() != FIELDS.len() {
        return Some(format!("it has {} fields and must have 5: minute, hour, day of the month, month, day of the week", fields.len()));
    }
    // Empty parts between commas do not count.
    let parts = |field: &'_ str| field.split(',').filter(|part| !part.is_empty()).map(str::to_owned).collect::<Vec<_>>();
    fields.iter().zip(FIELDS).find_map(|(field, (what, least, most, names))| {
        let problem = parts(field).iter().find_map(|part| part_problem(part, least, most, names))?;
        Some(format!("{what}, `{field}`, {problem}"))
    })
}

/// `*`, `5`, `1-5`, each perhaps with `/2`.
fn part_problem(part: &str, least: u32, most: u32, names: &[&str]) -> Option<String> {
    let (range, steps) = part.split_once('/').map_or((part, None), |(range, steps)| (range, Some(steps)));
    match steps.map(number) {
        None => {}
        Some(None) => return Some("has a step that is no whole number".to_owned()),
        Some(Some(0)) => return Some("has the step 0".to_owned()),
        Some(Some(_)) => {}
    }
    let mut ends = range.split('-');
    let first = ends.next().unwrap_or_default();
    if matches!(first, "*" | "?") {
        return None;
    }
    let value = |text: &str| {
        let named = names.iter().position(|name| name.eq_ignore_ascii_case(text)).and_then(|at| u32::try_from(at).ok());
        named.map(|at| at + least).or_else(|| number(text))
    };
    let (start, end) = (value(first), ends.next().map(value));
    if ends.next().is_some() {
        return Some("has a range with too many hyphens".to_owned());
    }
    let (Some(start), Some(end)) = (start, end.unwrap_or(start)) else { return Some("is no number, range or list of these".to_owned()) };
    if start < least || end > most {
        return Some(format!("is not within {least} and {most}"));
    }
    (start > end).then(|| "has a range that ends before it begins".to_owned())
}

/// Go's `strconv.Atoi` of what is not negative.
fn number(text: &str) -> Option<u32> {
    text.parse().ok()
}

/// Whether Go reads a text as a duration.
pub(crate) fn is_duration(text: &str) -> bool {
    let mut rest = text.strip_prefix(['+', '-']).unwrap_or(text);
    if rest == "0" {
        return true;
    }
    if rest.is_empty() {
        return false;
    }
    while !rest.is_empty() {
        let digits = |text: &str| text.bytes().take_while(u8::is_ascii_digit).count();
        let whole = digits(rest);
        let after = rest.get(whole..).unwrap_or_default();
        let (fraction, after) = match after.strip_prefix('.') {
            Some(after) => (digits(after), after.get(digits(after)..).unwrap_or_default()),
            None => (0, after),
        };
        let unit = ["ns", "us", "µs", "μs", "ms", "s", "m", "h"].iter().find_map(|unit| {
            let after = after.strip_prefix(unit)?;
            // `m` begins `ms`, too.
            after.chars().next().is_none_or(|next| next.is_ascii_digit() || next == '.').then_some(after)
        });
        let Some(next) = unit.filter(|_| whole + fraction > 0) else { return false };
        rest = next;
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn schedules_are_those_of_argo_cd() {
        for text in
            ["0 22 * * *", "*/15 0-6 1,15 jan-MAR mon-fri", "? ? ? ? ?", "5/10 * * * 0", "TZ=Europe/Vienna 0 1 * * *", "1,,2 * * * *"]
        {
            assert_eq!(schedule_problem(text), None, "{text}");
        }
        for (text, expected) in [
            ("", "it has 0 fields and must have 5: minute, hour, day of the month, month, day of the week"),
            ("0 0 22 * * *", "it has 6 fields and must have 5: minute, hour, day of the month, month, day of the week"),
            ("@daily", "words with `@` are not read here"),
            ("60 * * * *", "the minute, `60`, is not within 0 and 59"),
            ("0 24 * * *", "the hour, `24`, is not within 0 and 23"),
            ("0 0 0 * *", "the day of the month, `0`, is not within 1 and 31"),
            ("0 0 * * 7", "the day of the week, `7`, is not within 0 and 6"),
            ("0 0 * * monday", "the day of the week, `monday`, is no number, range or list of these"),
            ("0 22-6 * * *", "the hour, `22-6`, has a range that ends before it begins"),
            ("*/0 * * * *", "the minute, `*/0`, has the step 0"),
            ("*/x * * * *", "the minute, `*/x`, has a step that is no whole number"),
            ("1-2-3 * * * *", "the minute, `1-2-3`, has a range with too many hyphens"),
            ("TZ=UTC", "there is nothing behind the time zone"),
        ] {
            assert_eq!(schedule_problem(text).as_deref(), Some(expected), "{text}");
        }
    }

    #[test]
    fn durations_are_those_of_go() {
        for text in ["0", "1h", "1h30m", "1.5h", ".5s", "-1m", "100ms", "1us2ns"] {
            assert!(is_duration(text), "{text}");
        }
        for text in ["", "1", "1d", "h", "1 h", "1hour", "one", ".h", "1h30"] {
            assert!(!is_duration(text), "{text}");
        }
    }
}
