//! Random patches on random documents: the text says what `json-patch` says.

use fedward_manifest::edit;
use serde_json::{Map, Value, json};

use crate::{edits, read, value};

/// A small generator, the same on every machine (SplitMix64).
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((mixed ^ (mixed >> 31)) % sides as u64).unwrap()
    }

    fn one<'x>(&mut self, of: &[&'x str]) -> &'x str {
        of[self.roll(of.len())]
    }
}

const KEYS: &[&str] = &["a", "b", "app.example/use", "name", "c d", "true", "1", "it's", "x~y"];
const SEEDS: u64 = 20_000;
const TEXTS: &[&str] =
    &["web", "true", "12", "a: b", "", "x, y", "it's \"so\"", "one\ntwo\n", "one\ntwo", " lead\nx", "ä#b", "# no", "-", "~", "a\\b\u{7}"];

fn any_value(dice: &mut Dice, depth: usize) -> Value {
    match dice.roll(if depth == 0 { 6 } else { 9 }) {
        0 => Value::Null,
        1 => json!(dice.roll(2) == 0),
        2 => json!(dice.roll(100)),
        3..=5 => json!(dice.one(TEXTS)),
        6 => (0..dice.roll(4)).map(|_| any_value(dice, depth - 1)).collect(),
        _ => {
            let mut entries = Map::new();
            for _ in 0..dice.roll(4) {
                entries.insert(dice.one(KEYS).to_owned(), any_value(dice, depth - 1));
            }
            entries.into()
        }
    }
}

/// Writes a value in any of the ways in which people do.
struct Scribe<'r> {
    dice: &'r mut Dice,
    out: String,
    line_break: &'static str,
}

impl Scribe<'_> {
    fn scalar(&mut self, value: &Value, flow: bool) -> String {
        let Value::String(text) = value else {
            return if value.is_null() && !flow { self.dice.one(&["~", "null"]).to_owned() } else { value.to_string() };
        };
        let plain = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphabetic() || b"./".contains(&byte)) && text != "true";
        match self.dice.roll(3) {
            0 if plain => text.clone(),
            1 if !text.contains(['\n', '\u{7}']) => format!("'{}'", text.replace('\'', "''")),
            _ => value.to_string(),
        }
    }

    fn comment(&mut self) {
        if self.dice.roll(5) == 0 {
            self.out.push_str(self.dice.one(&[" # why", "   # a: b", " #", "\t# tab"]));
        }
    }

    fn end_line(&mut self, indent: usize) {
        self.comment();
        self.out.push_str(self.line_break);
        match self.dice.roll(12) {
            0 => self.out.push_str(self.line_break),
            1 => self.out.push_str(&format!("{}# - on: its own{}", " ".repeat(indent), self.line_break)),
            2 => self.out.push_str(&format!("# at the margin{}", self.line_break)),
            _ => {}
        }
    }

    fn flow(&mut self, value: &Value) {
        let blank = self.dice.one(&["", "", " ", "\n          "]);
        let (open, close, items): (_, _, Vec<(Option<&String>, &Value)>) = match value {
            Value::Object(entries) => ('{', '}', entries.iter().map(|(key, value)| (Some(key), value)).collect()),
            Value::Array(items) => ('[', ']', items.iter().map(|value| (None, value)).collect()),
            scalar => {
                let text = self.scalar(scalar, true);
                return self.out.push_str(&text);
            }
        };
        self.out.push(open);
        for (index, (key, value)) in items.into_iter().enumerate() {
            self.out.push_str(if index > 0 { "," } else { "" });
            self.out.push_str(if index > 0 && blank.is_empty() { " " } else { blank });
            if let Some(key) = key {
                let key = self.scalar(&json!(key), true);
                self.out.push_str(&format!("{key}: "));
            }
            self.flow(value);
        }
        self.out.push_str(blank);
        self.out.push(close);
    }

    /// The value behind a key or dash whose column is `column`, with the end of its line.
    fn block(&mut self, value: &Value, column: usize, behind_dash: bool) {
        let further = column + [2, 2, 4, 1][self.dice.roll(4)];
        match value {
            Value::Object(entries) if !entries.is_empty() && self.dice.roll(5) > 0 => {
                let at = if behind_dash { column + 2 } else { further };
                let compact = behind_dash && self.dice.roll(4) > 0;
                if compact {
                    self.out.push(' ');
                } else {
                    self.end_line(at);
                }
                for (index, (key, value)) in entries.iter().enumerate() {
                    if index > 0 || !compact {
                        self.out.push_str(&" ".repeat(at));
                    }
                    let key = self.scalar(&json!(key), true);
                    self.out.push_str(&format!("{key}:"));
                    self.block(value, at, false);
                }
            }
            Value::Array(items) if !items.is_empty() && self.dice.roll(5) > 0 => {
                let at = if behind_dash { column + 2 } else { [column, column + 2][self.dice.roll(2)] };
                let compact = behind_dash && self.dice.roll(2) > 0;
                if compact {
                    self.out.push(' ');
                } else {
                    self.end_line(at);
                }
                for (index, value) in items.iter().enumerate() {
                    if index > 0 || !compact {
                        self.out.push_str(&" ".repeat(at));
                    }
                    self.out.push('-');
                    self.block(value, at, true);
                }
            }
            Value::Null if self.dice.roll(2) == 0 => self.end_line(column),
            Value::String(text) if text.contains('\n') && !text.starts_with(' ') && self.dice.roll(2) == 0 => {
                self.out.push_str(if text.ends_with('\n') { " |" } else { " |-" });
                self.comment();
                self.out.push_str(self.line_break);
                for line in text.lines() {
                    self.out.push_str(&format!("{}{line}{}", " ".repeat(column + 2), self.line_break));
                }
            }
            value => {
                self.out.push(' ');
                self.flow(value);
                self.end_line(column);
            }
        }
    }

    fn document(&mut self, value: &Value) {
        match value {
            Value::Object(entries) if !entries.is_empty() => {
                for (key, value) in entries {
                    let key = self.scalar(&json!(key), true);
                    self.out.push_str(&format!("{key}:"));
                    self.block(value, 0, false);
                }
            }
            value => {
                self.flow(value);
                self.out.push_str(self.line_break);
            }
        }
    }
}

/// A text that means a value.
fn written(dice: &mut Dice, value: &Value) -> String {
    let line_break = if dice.roll(6) == 0 { "\r\n" } else { "\n" };
    let mut text = match dice.roll(8) {
        0 => value.to_string(),
        1 => serde_json::to_string_pretty(value).unwrap(),
        _ => {
            let mut scribe = Scribe { dice, out: String::new(), line_break };
            scribe.document(value);
            scribe.out
        }
    };
    if dice.roll(6) == 0 && !text.contains('|') {
        text.truncate(text.trim_end_matches(['\n', '\r']).len());
    } else if dice.roll(4) == 0 {
        text.push_str(&format!("{line_break}---{line_break}# other{line_break}other: [1, 2] # last{line_break}"));
    }
    text
}

/// A step that applies, if there is one, and applies it.
fn any_step(dice: &mut Dice, value: &mut Value) -> Option<Value> {
    let mut path = String::new();
    let mut here: &Value = value;
    let mut found = Vec::new();
    loop {
        let next = match here {
            Value::Object(entries) if !entries.is_empty() => entries.iter().nth(dice.roll(entries.len())),
            Value::Array(items) if !items.is_empty() => None,
            _ => break,
        };
        let at = if let Value::Array(items) = here { dice.roll(items.len()) } else { 0 };
        let (token, child) = match (next, here) {
            (Some((key, child)), _) => (key.replace('~', "~0").replace('/', "~1"), child),
            (None, Value::Array(items)) => (at.to_string(), &items[at]),
            _ => break,
        };
        path = format!("{path}/{token}");
        here = child;
        found.push(path.clone());
    }
    let target = if found.is_empty() { String::new() } else { found[dice.roll(found.len())].clone() };
    let step = match dice.roll(3) {
        0 if !target.is_empty() => json!({"op": "remove", "path": target}),
        1 if !target.is_empty() => json!({"op": "replace", "path": target, "value": any_value(dice, 2)}),
        _ => {
            let into = value.pointer(&target).unwrap();
            let token = match into {
                Value::Object(_) => dice.one(KEYS).replace('~', "~0").replace('/', "~1"),
                Value::Array(items) => [dice.roll(items.len() + 1).to_string(), "-".to_owned()][dice.roll(2)].clone(),
                _ => return None,
            };
            json!({"op": "add", "path": format!("{target}/{token}"), "value": any_value(dice, 2)})
        }
    };
    let patch: json_patch::Patch = serde_json::from_value(json!([step])).unwrap();
    json_patch::patch(value, &patch).unwrap();
    Some(step)
}

#[test]
fn the_text_says_what_the_patch_says() {
    let (mut done, mut refused) = (0, 0);
    for seed in 0..SEEDS {
        let dice = &mut Dice(seed);
        let mut before = json!({});
        while before.as_object().is_none_or(Map::is_empty) {
            before = any_value(dice, 4);
        }
        let text = written(dice, &before);
        let documents = read(&text);
        assert_eq!(value(documents[0].root()), before, "the test writes something else\n{text}");
        let mut after = before.clone();
        let steps: Value = (0..=dice.roll(3)).filter_map(|_| any_step(dice, &mut after)).collect();
        let found = match edits(documents[0].root(), &steps) {
            Ok(found) => found,
            Err(edit::Refusal::Layout) => {
                refused += 1;
                continue;
            }
            Err(refusal) => panic!("seed {seed}: {refusal}: {steps}\n{text}"),
        };
        assert!(found.windows(2).all(|pair| pair[0].span.end < pair[1].span.start), "seed {seed}: {found:?}");
        let edited = edit::apply(&text, &found);
        let again =
            std::panic::catch_unwind(|| read(&edited)).unwrap_or_else(|_| panic!("seed {seed}: {steps}\n{text}\n---- becomes\n{edited}"));
        assert_eq!(value(again[0].root()), after, "seed {seed}: {steps}\n{text}\n---- becomes\n{edited}");
        assert_eq!(again.len(), documents.len(), "seed {seed}");
        if let (Some(one), Some(other)) = (documents.get(1), again.get(1)) {
            assert_eq!(value(one.root()), value(other.root()), "seed {seed}");
        }
        done += 1;
    }
    assert!(refused * 1000 < done, "{refused} of {done} are refused");
}
