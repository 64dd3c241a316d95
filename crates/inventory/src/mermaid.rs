//! The inventory as a Mermaid flowchart, which many pages of Markdown draw.

use std::fmt::Write as _;
use std::io::{self, Write};

use crate::graph::{Graph, Kind, MAX_BOXES};
use crate::model::Inventory;

/// Characters that Mermaid reads of a picture, unless the page that it stands in says otherwise.
const MAX_TEXT: usize = 50_000;

/// Writes the inventory as a Mermaid flowchart of at most some hundred boxes, fewer if their texts are long: Mermaid draws nothing of what is
/// too much for it.
///
/// # Errors
/// Those of the writer.
pub fn mermaid(inventory: &Inventory, out: &mut dyn Write) -> io::Result<()> {
    let mut most = MAX_BOXES;
    let mut text = Vec::new();
    while most > 0 {
        text.clear();
        chart(&Graph::of(inventory, most), &mut text)?;
        if text.len() < MAX_TEXT {
            break;
        }
        most /= 2;
    }
    out.write_all(&text)
}

fn chart(graph: &Graph, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "flowchart LR")?;
    for one in &graph.boxes {
        let lines: Vec<String> = one.lines.iter().map(|line| quoted(line)).collect();
        writeln!(out, "  {}[\"{}\"]:::{}", one.id, lines.join("<br/>"), class(one.kind))?;
    }
    for arrow in &graph.arrows {
        let text = if arrow.text.is_empty() { String::new() } else { format!("|\"{}\"|", quoted(&arrow.text)) };
        writeln!(out, "  {} -->{text} {}", arrow.from, arrow.to)?;
    }
    for (class, style) in [
        ("identity", "fill:#dbeafe,stroke:#1d4ed8,color:#111"),
        ("shared", "fill:#fef3c7,stroke:#b45309,color:#111,stroke-width:3px"),
        ("account", "fill:#f1f5f9,stroke:#475569,color:#111"),
        ("user", "fill:#ffffff,stroke:#475569,color:#111"),
        ("role", "fill:#f0fdf4,stroke:#15803d,color:#111"),
        ("grave", "fill:#fee2e2,stroke:#b91c1c,color:#111,stroke-width:3px"),
        ("cloud", "fill:#ede9fe,stroke:#6d28d9,color:#111"),
        ("unknown", "fill:#ffffff,stroke:#475569,color:#111,stroke-dasharray:4"),
    ] {
        writeln!(out, "  classDef {class} {style}")?;
    }
    Ok(())
}

fn class(kind: Kind) -> &'static str {
    match kind {
        Kind::Identity => "identity",
        Kind::Shared => "shared",
        Kind::Account => "account",
        Kind::User => "user",
        Kind::Role => "role",
        Kind::Grave => "grave",
        Kind::CloudRole => "cloud",
        Kind::Unknown => "unknown",
    }
}

/// Text in quotes: whatever Mermaid, or the HTML that it makes, could take for its own is written by number.
fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for letter in text.chars() {
        if letter.is_alphanumeric() || " ./_:,()+=@-".contains(letter) {
            out.push(letter);
        } else {
            // Writing to a string does not fail.
            let _ = write!(out, "#{};", u32::from(letter));
        }
    }
    out
}
