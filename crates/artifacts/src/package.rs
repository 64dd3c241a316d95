//! A policy as it is shipped: the module and its metadata.

use std::path::Path;

use anyhow::{Context as _, Result};
use fedward_kit::policy::Builtin;

use crate::files::Generated;
use crate::metadata::Metadata;
use crate::{annotations, suite};

/// A policy, or the suite.
pub struct Package {
    /// The module and its code.
    pub builtin: &'static Builtin,
    /// Its metadata, complete.
    pub metadata: Metadata,
    /// The file that has them.
    pub file: Generated,
}

impl Package {
    /// The policy's id.
    pub fn id(&self) -> &'static str {
        self.builtin.id
    }

    /// Whether it is the suite.
    pub fn is_suite(&self) -> bool {
        self.id() == fedward_modules::SUITE.id
    }
}

/// All policies, and the suite as the last one. The metadata are those on disk, not those that this program was built with, and what
/// is generated in them is current.
///
/// # Errors
/// Metadata that are not there, do not parse, or that nobody would take.
pub fn all(root: &Path) -> Result<Vec<Package>> {
    let package = |builtin: &'static Builtin, file: Generated| {
        let metadata = Metadata::read(&file.text).with_context(|| file.path.clone())?;
        Ok::<_, anyhow::Error>(Package { builtin, metadata, file })
    };
    let mut packages = Vec::new();
    for builtin in fedward_modules::ALL {
        packages.push(package(builtin, annotations::completed(root, builtin.policy)?)?);
    }
    let suite = suite::generate(&packages)?;
    packages.push(package(&fedward_modules::SUITE, suite)?);
    Ok(packages)
}
