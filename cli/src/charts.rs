//! Helm charts: what stands in the `templates` of one is no manifest until it is rendered.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

/// The charts that were met, by folder.
#[derive(Default)]
pub(crate) struct Charts {
    known: HashMap<PathBuf, Option<PathBuf>>,
}

impl Charts {
    /// The folder of the chart that a file is a template of, looked for upwards as far as the file's repository goes: whoever names the
    /// `templates` alone means the same chart. Of what lies above the inputs nothing is read; that there is a `Chart.yaml` is enough.
    ///
    /// `file` is absolute and without links.
    pub(crate) fn of(&mut self, file: &Path) -> Option<PathBuf> {
        let mut chart = None;
        let mut passed = Vec::new();
        for folder in file.ancestors().skip(1) {
            if let Some(known) = self.known.get(folder) {
                chart.clone_from(known);
                break;
            }
            passed.push(folder);
            if folder.join(".git").exists() {
                break;
            }
            chart = folder.parent().filter(|above| folder.ends_with("templates") && above.join("Chart.yaml").is_file()).map(Path::to_owned);
            if chart.is_some() {
                break;
            }
        }
        self.known.extend(passed.into_iter().map(|folder| (folder.to_owned(), chart.clone())));
        chart
    }
}

/// A folder above a file as the file's name has it: `name` is how outputs show `file`.
pub(crate) fn seen_from(name: &str, file: &Path, folder: &Path) -> PathBuf {
    let mut shown = PathBuf::from(name);
    for _ in file.strip_prefix(folder).into_iter().flat_map(Path::components) {
        // A name that begins further in, such as that of a file in the working directory, goes on upwards.
        if shown.file_name().is_none() || !shown.pop() {
            shown.push("..");
        }
    }
    if shown.as_os_str().is_empty() { PathBuf::from(".") } else { shown }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chart_is_named_as_its_templates_are() {
        for (name, expected) in [
            ("some/chart/templates/a/x.yaml", "some/chart"),
            ("templates/a/x.yaml", "."),
            ("a/x.yaml", ".."),
            ("x.yaml", "../.."),
            ("../x.yaml", "../../.."),
            ("/some/chart/templates/a/x.yaml", "/some/chart"),
        ] {
            assert_eq!(
                seen_from(name, Path::new("/some/chart/templates/a/x.yaml"), Path::new("/some/chart")),
                Path::new(expected),
                "{name}"
            );
        }
    }
}
