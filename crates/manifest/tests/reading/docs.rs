//! What `docs/input.md` claims.

use fedward_manifest::Limits;

use crate::all_json;

/// The rows of the table under a heading, as cells.
fn rows(heading: &str) -> Vec<Vec<String>> {
    let text = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/input.md")).unwrap();
    let section = text.split("\n## ").find(|section| section.starts_with(heading)).unwrap();
    let table = section.lines().filter(|line| line.starts_with('|')).skip(2);
    table.map(|line| line.trim_matches('|').split('|').map(|cell| cell.trim().to_owned()).collect()).collect()
}

fn codes(cell: &str) -> Vec<&str> {
    cell.split('`').skip(1).step_by(2).collect()
}

#[test]
fn scalars_read_as_the_table_says() {
    let rows = rows("Scalars");
    assert!(rows.len() > 15);
    for row in rows {
        for written in codes(&row[0]) {
            assert_eq!(all_json(&format!("a: {written}\n")), [format!("{{\"a\":{}}}", codes(&row[1])[0])], "{written}");
        }
    }
}

#[test]
fn limits_are_those_of_the_table() {
    let Limits { documents, document_bytes, nodes, depth, alias_nodes, problems, floats: _ } = Limits::default();
    let told: Vec<usize> = rows("Limits").iter().map(|row| row[1].parse().unwrap()).collect();
    assert_eq!(told, [documents, document_bytes, nodes, depth, alias_nodes, problems]);
}
