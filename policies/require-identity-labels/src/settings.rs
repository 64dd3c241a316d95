//! The policy's settings.

use std::collections::BTreeMap;

use fedward_kit::settings::Reader;
use fedward_kit::text::Glob;

/// See the `doc` of each field in [`fedward_kit::settings::Settings::read`].
#[derive(Debug, Clone)]
pub struct Settings {
    /// Whether pods whose only use of the identity is a CSI driver need no label.
    pub allow_csi_only: bool,
    /// Labels that identity-using pods must have, with their exact values.
    pub required_labels: BTreeMap<String, String>,
    /// Labels that identity-using pods must have, with a pattern for the value.
    pub extra_required_labels: Vec<(String, Glob)>,
}

impl fedward_kit::settings::Settings for Settings {
    fn read(reader: &mut Reader<'_>) -> Self {
        Settings {
            allow_csi_only: reader.bool(
                "allowCsiOnly",
                true,
                "Whether a pod whose only use of the identity is a CSI driver that asks for tokens itself needs no Azure label.",
            ),
            required_labels: reader.string_map(
                "requiredLabels",
                "Labels that every pod with a cloud identity must have, each with its exact value, such as `cost-center: \"4711\"`.",
            ),
            extra_required_labels: extra(reader),
        }
    }
}

fn extra(reader: &mut Reader<'_>) -> Vec<(String, Glob)> {
    const NAME: &str = "extraRequiredLabels";
    let entries = reader.strings(
        NAME,
        &[],
        "Labels that every pod with a cloud identity must have: `key` for any value that is not empty, or `key=pattern`, where `*` stands for any text.",
    );
    let mut found = Vec::new();
    for entry in entries {
        let (key, pattern) = entry.split_once('=').unwrap_or((&entry, "*"));
        if key.is_empty() {
            reader.error(NAME, "a label's key is required before `=`");
        }
        found.push((key.to_owned(), Glob::new(pattern)));
    }
    found
}
