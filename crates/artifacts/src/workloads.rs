//! The table of kinds whose pods are known.

use std::fmt::Write as _;

use fedward_kit::workload::{ROWS, Shape};

use crate::files::{Generated, MARK};
use crate::pages::cell;

/// `docs/workloads.md`.
pub fn generate() -> Generated {
    let mut text = format!("<!-- {MARK} from `policies/kit/src/workload/rows.rs`. -->\n# Kinds whose pods are judged\n\n");
    text.push_str(
        "Rules on pods look at the pods of these kinds, each where that kind keeps them. In the objects of any other kind, whatever looks \
         like a pod template is judged too, but never gives more than an info, and only offline: a cluster does not send such objects.\n\n\
         A path names fields from the object's root; `[]` stands for every element of a list.\n\n",
    );
    text.push_str("| API group | kinds | where their pods are |\n|---|---|---|\n");
    for row in ROWS {
        let group = if row.group.is_empty() { "(core)" } else { row.group };
        let _ = writeln!(text, "| {group} | {} | {} |", row.kinds.join(", "), cell(&places(&row.shape)));
    }
    Generated { path: "docs/workloads.md".to_owned(), text }
}

/// A shape in words.
fn places(shape: &Shape) -> String {
    match shape {
        Shape::Pod => "the object itself".to_owned(),
        Shape::Templates(paths) => format!("pod templates: {}", list(paths)),
        Shape::Rollout => {
            "pod template: `spec.template`, with the metadata of each phase of the strategy and of experiments in its steps; \
             none where `spec.workloadRef` names a Deployment"
                .to_owned()
        }
        Shape::Workflow(path) => format!(
            "each template of {0} that runs containers, those of templates that it refers to, and manifests in `resource` templates; \
             labels also from `podMetadata` and `templateDefaults`, the service account from the template or from {0}",
            dotted(path)
        ),
        Shape::Sensor => {
            "`spec.template`, and the objects in the triggers: `k8s` and `argoWorkflow` sources given as `resource` or `inline`".to_owned()
        }
        Shape::Split(parts) => {
            let part = |(metadata, spec): &(&[&str], &[&str])| format!("{} with the metadata in {}", dotted(spec), dotted(metadata));
            parts.iter().map(part).collect::<Vec<_>>().join("; ")
        }
        Shape::OwnAccount { spec, metadata, account, name } => format!(
            "{} with the metadata in {}; where that names no service account, the kind makes one, with the metadata in {} and the name in {}",
            dotted(spec),
            dotted(metadata),
            dotted(account),
            dotted(name)
        ),
        Shape::Tekton => {
            "each task of `spec.pipelineSpec` or `spec.taskSpec`; labels from the run, and from the Pipeline or Task that it names, \
             the service account from `spec.taskRunTemplate`, `spec` or `spec.taskRunSpecs[]`"
                .to_owned()
        }
        Shape::Flat(paths) => format!("labels, annotations, `serviceAccount` and `env` side by side: {}", list(paths)),
        Shape::Objects(paths) => format!("whole objects, each as its own kind: {}", list(paths)),
        Shape::None => "none: what it deploys has to be rendered".to_owned(),
    }
}

fn list(paths: &[&[&str]]) -> String {
    paths.iter().map(|path| dotted(path)).collect::<Vec<_>>().join(", ")
}

fn dotted(path: &[&str]) -> String {
    format!("`{}`", path.join(".").replace(".[]", "[]"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_written_as_people_write_them() {
        assert_eq!(dotted(&["spec", "templates", "[]", "template"]), "`spec.templates[].template`");
        assert_eq!(places(&Shape::Split(&[(&["spec", "podMetadata"], &["spec"])])), "`spec` with the metadata in `spec.podMetadata`");
    }
}
