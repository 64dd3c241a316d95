//! The table of kinds whose pods are known.

use std::fmt::Write as _;

use fedward_kit::workload::ROWS;

use crate::files::{Generated, MARK};

/// `docs/workloads.md`.
pub fn generate() -> Generated {
    let mut text = format!("<!-- {MARK} from `policies/kit/src/workload/rows.rs`. -->\n# Kinds whose pods are judged\n\n");
    text.push_str(
        "Rules on pods look at the pods of these kinds, each where that kind keeps them. In the objects of any other kind, whatever looks \
         like a pod template is judged too, but never gives more than an info, and only offline: a cluster does not send such objects.\n\n",
    );
    text.push_str("| API group | kinds |\n|---|---|\n");
    for row in ROWS {
        let group = if row.group.is_empty() { "(core)" } else { row.group };
        let _ = writeln!(text, "| {group} | {} |", row.kinds.join(", "));
    }
    Generated { path: "docs/workloads.md".to_owned(), text }
}
