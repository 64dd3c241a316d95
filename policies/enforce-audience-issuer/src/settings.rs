//! The policy's settings.

use fedward_kit::settings::Reader;

/// See the `doc` of each field in [`fedward_kit::settings::Settings::read`].
#[derive(Debug, Clone)]
pub struct Settings {}

impl fedward_kit::settings::Settings for Settings {
    fn read(_reader: &mut Reader<'_>) -> Self {
        Settings {}
    }
}
