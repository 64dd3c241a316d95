//! The policy's settings.

use fedward_kit::settings::Reader;
use fedward_kit::text::Glob;

/// See the `doc` of each field in [`fedward_kit::settings::Settings::read`].
#[derive(Debug, Clone)]
pub struct Settings {
    /// What happens to pods that lack the Azure label, and nothing else.
    pub mode: Mode,
    /// Whether pods whose only use of the identity is a CSI driver need no label.
    pub allow_csi_only: bool,
    /// Labels that identity-using pods must have.
    pub required_labels: Vec<RequiredLabel>,
}

/// What happens to pods that lack the Azure label, and nothing else.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// They are reported.
    Report,
    /// They get it, where that is unambiguous.
    Fix,
}

/// A label that identity-using pods must have.
#[derive(Debug, Clone)]
pub struct RequiredLabel {
    /// The label's key.
    pub key: String,
    /// What its value has to be.
    pub value: RequiredValue,
}

/// What the value of a label has to be.
#[derive(Debug, Clone)]
pub enum RequiredValue {
    /// This.
    Exactly(String),
    /// Not empty, and of this form.
    Like(Glob),
}

impl fedward_kit::settings::Settings for Settings {
    const MENDS: Option<fn(&Self) -> bool> = Some(|own| own.mode == Mode::Fix);

    type Facts<'a> = crate::pods::Facts<'a>;

    fn read(reader: &mut Reader<'_>) -> Self {
        Settings {
            mode: reader.choice("mode", &[("report", Mode::Report), ("fix", Mode::Fix)], "report",
                    "What happens to a pod that lacks the Azure label and nothing else: `report` rejects it, `fix` adds the label to its template, where the policy may change objects (`mutating: true`) and that is unambiguous. The suite cannot `fix`.")
                .unwrap_or(Mode::Report),
            allow_csi_only: reader.bool(
                "allowCsiOnly",
                true,
                "Whether a pod whose only use of the identity is a CSI driver that asks for tokens itself needs no Azure label.",
            ),
            required_labels: required_labels(reader),
        }
    }
}

fn required_labels(reader: &mut Reader<'_>) -> Vec<RequiredLabel> {
    let exact = reader.string_map(
        "requiredLabels",
        "Labels that every pod with a cloud identity must have, each with its exact value, such as `cost-center: \"4711\"`.",
    );
    let mut found: Vec<_> = exact.into_iter().map(|(key, value)| RequiredLabel { key, value: RequiredValue::Exactly(value) }).collect();
    let entries = reader.strings(
        EXTRA,
        &[],
        "Labels that every pod with a cloud identity must have: `key` for any value that is not empty, or `key=pattern`, where `*` stands for any text.",
    );
    for entry in entries {
        let (key, pattern) = entry.split_once('=').unwrap_or((&entry, "*"));
        if key.is_empty() {
            reader.error(EXTRA, "a label's key is required before `=`");
        }
        found.push(RequiredLabel { key: key.to_owned(), value: RequiredValue::Like(Glob::new(pattern)) });
    }
    found
}

const EXTRA: &str = "extraRequiredLabels";
