//! The policy's settings.

use fedward_kit::settings::Reader;

use crate::rules::wrong_token_lifetime::{LONGEST_ACCEPTED, SHORTEST_ACCEPTED};

/// See the `doc` of each field in [`fedward_kit::settings::Settings::read`].
#[derive(Debug, Clone)]
pub struct Settings {
    /// How long a projected token may live, in seconds.
    pub max_expiration_seconds: i64,
}

impl fedward_kit::settings::Settings for Settings {
    type Facts<'a> = ();

    fn read(reader: &mut Reader<'_>) -> Self {
        Settings {
            max_expiration_seconds: reader.int(
                "maxExpirationSeconds",
                86400,
                SHORTEST_ACCEPTED..=LONGEST_ACCEPTED,
                "How long a projected token may live, in seconds.",
            ),
        }
    }
}
