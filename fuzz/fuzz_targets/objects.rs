//! The policies on objects of the fixtures in which values were exchanged, emptied or removed: every field meets every type.
#![no_main]

use arbitrary::Arbitrary;
use fedward_engine::{Input, Options, Role};
use fedward_fuzz::{OBJECTS, check, judge};
use libfuzzer_sys::fuzz_target;
use serde_json::{Value, json};

#[derive(Debug, Arbitrary)]
struct Case {
    objects: Vec<(u16, Vec<Edit>)>,
    closed_world: bool,
}

#[derive(Debug, Arbitrary)]
struct Edit {
    /// Which value, counted through the tree.
    at: u16,
    what: What,
}

#[derive(Debug, Arbitrary)]
enum What {
    Null,
    Bool(bool),
    Number(i64),
    Float(f64),
    Text(String),
    EmptyList,
    EmptyMap,
    Remove,
    /// The value at a place of another object.
    Of(u16, u16),
    /// In a list of its own, in a map under a key.
    Wrap(Option<String>),
    /// A list's or map's first element once more at its end.
    Repeat,
}

fuzz_target!(|case: Case| {
    let mut text = String::new();
    for (number, edits) in case.objects.into_iter().take(6) {
        let mut object = OBJECTS[usize::from(number) % OBJECTS.len()].clone();
        for edit in edits.into_iter().take(8) {
            let count = count(&object);
            change(&mut object, usize::from(edit.at) % count, edit.what);
        }
        text.push_str(&object.to_string());
        text.push_str("\n---\n");
    }
    let input = Input { name: "fuzz.yaml".to_owned(), bytes: text.into(), named: true, role: Role::Judged };
    let outcome = judge(vec![input], Options { closed_world: case.closed_world, ..Options::default() });
    check(&outcome);
});

fn children(value: &Value) -> Box<dyn Iterator<Item = &Value> + '_> {
    match value {
        Value::Array(items) => Box::new(items.iter()),
        Value::Object(map) => Box::new(map.values()),
        _ => Box::new(std::iter::empty()),
    }
}

fn count(value: &Value) -> usize {
    1 + children(value).map(count).sum::<usize>()
}

fn at(value: &Value, number: usize) -> &Value {
    if number == 0 {
        return value;
    }
    let mut left = number - 1;
    for child in children(value) {
        let count = count(child);
        if left < count {
            return at(child, left);
        }
        left -= count;
    }
    value
}

/// Changes the value of that number in the order of the tree.
fn change(value: &mut Value, number: usize, what: What) {
    if number == 0 {
        *value = match what {
            What::Null | What::Remove => Value::Null,
            What::Bool(flag) => flag.into(),
            What::Number(number) => number.into(),
            What::Float(number) => json!(number),
            What::Text(text) => text.into(),
            What::EmptyList => json!([]),
            What::EmptyMap => json!({}),
            What::Of(object, place) => {
                let donor = &OBJECTS[usize::from(object) % OBJECTS.len()];
                at(donor, usize::from(place) % count(donor)).clone()
            }
            What::Wrap(None) => json!([value.take()]),
            What::Wrap(Some(key)) => json!({ key: value.take() }),
            What::Repeat => {
                match value {
                    Value::Array(items) => items.extend(items.first().cloned()),
                    Value::Object(map) => {
                        let first = map.iter().next().map(|(key, value)| (format!("{key}2"), value.clone()));
                        map.extend(first);
                    }
                    _ => {}
                }
                value.take()
            }
        };
        return;
    }
    let mut left = number - 1;
    match value {
        Value::Array(items) => {
            for index in 0..items.len() {
                let count = count(&items[index]);
                if left < count {
                    if left == 0 && matches!(what, What::Remove) {
                        items.remove(index);
                    } else {
                        change(&mut items[index], left, what);
                    }
                    return;
                }
                left -= count;
            }
        }
        Value::Object(map) => {
            let keys: Vec<String> = map.keys().cloned().collect();
            for key in keys {
                let Some(child) = map.get_mut(&key) else { continue };
                let count = count(child);
                if left < count {
                    if left == 0 && matches!(what, What::Remove) {
                        map.remove(&key);
                    } else {
                        change(child, left, what);
                    }
                    return;
                }
                left -= count;
            }
        }
        _ => {}
    }
}
