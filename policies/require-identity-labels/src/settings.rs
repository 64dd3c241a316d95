//! The policy's settings.

use fedward_kit::settings::Reader;

/// See the `doc` of each field in [`fedward_kit::settings::Settings::read`].
#[derive(Debug, Clone)]
pub struct Settings {
    /// Whether pods whose only use of the identity is a CSI driver need no label.
    pub allow_csi_only: bool,
}

impl fedward_kit::settings::Settings for Settings {
    fn read(reader: &mut Reader<'_>) -> Self {
        Settings {
            allow_csi_only: reader.bool(
                "allowCsiOnly",
                true,
                "Whether a pod whose only use of the identity is a CSI driver that asks for tokens itself needs no Azure label.",
            ),
        }
    }
}
