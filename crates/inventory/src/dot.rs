//! The inventory in the language of Graphviz.

use std::io::{self, Write};

use crate::graph::{Graph, Kind, MAX_BOXES};
use crate::model::Inventory;

/// Writes the inventory as a digraph for Graphviz of at most some hundred boxes.
///
/// # Errors
/// Those of the writer.
pub fn dot(inventory: &Inventory, out: &mut dyn Write) -> io::Result<()> {
    let graph = Graph::of(inventory, MAX_BOXES);
    writeln!(out, "digraph identities {{\n  rankdir=LR;\n  node [shape=box, style=\"rounded,filled\", fillcolor=white];")?;
    for one in &graph.boxes {
        let lines: Vec<String> = one.lines.iter().map(|line| quoted(line)).collect();
        writeln!(out, "  {} [label=\"{}\"{}];", one.id, lines.join("\\n"), look(one.kind))?;
    }
    for arrow in &graph.arrows {
        let label = if arrow.text.is_empty() { String::new() } else { format!(" [label=\"{}\"]", quoted(&arrow.text)) };
        writeln!(out, "  {} -> {}{label};", arrow.from, arrow.to)?;
    }
    writeln!(out, "}}")
}

fn look(kind: Kind) -> &'static str {
    match kind {
        Kind::Identity => ", fillcolor=\"#dbeafe\"",
        Kind::Shared => ", fillcolor=\"#fef3c7\", penwidth=3",
        Kind::Account => ", fillcolor=\"#f1f5f9\"",
        Kind::User => "",
        Kind::Role => ", fillcolor=\"#f0fdf4\"",
        Kind::Grave => ", fillcolor=\"#fee2e2\", penwidth=3",
        Kind::CloudRole => ", fillcolor=\"#ede9fe\"",
        Kind::Unknown => ", style=\"rounded,dashed\"",
    }
}

/// Text in quotes. A backslash begins an escape in labels, and entities of HTML are read in them.
fn quoted(text: &str) -> String {
    text.replace('\\', "\\\\").replace('"', "\\\"").replace('&', "&amp;")
}
