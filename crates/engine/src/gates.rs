//! What a policy may ask of its host (policy-evaluator, `src/runtimes/callback.rs` and `src/host_capabilities.rs`).

use fedward_policyset::Resource;

/// The grants of one policy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Gates {
    /// Patterns (`*`, `oci/*`, `oci/v1/verify`); `None` for all.
    pub(crate) capabilities: Option<Vec<String>>,
    /// Kinds that it may read.
    pub(crate) resources: Vec<Resource>,
}

impl Gates {
    /// Whether a capability is granted.
    ///
    /// # Errors
    /// The text that the policy server gives to a module.
    pub(crate) fn capability(&self, namespace: &str, operation: &str) -> Result<(), String> {
        let Some(patterns) = &self.capabilities else { return Ok(()) };
        let name = format!("{namespace}/{operation}");
        let fits = |pattern: &String| match pattern.strip_suffix('*') {
            Some("") => true,
            // `oci/*` is all below `oci/`; a star elsewhere means nothing.
            Some(start) => start.ends_with('/') && name.starts_with(start),
            None => *pattern == name,
        };
        if patterns.iter().any(fits) {
            return Ok(());
        }
        Err(format!("Policy has not been granted access to the '{name}' host capability. The violation has been reported."))
    }

    /// Whether a kind may be read.
    ///
    /// # Errors
    /// As [`Gates::capability`].
    pub(crate) fn resource(&self, api_version: &str, kind: &str) -> Result<(), String> {
        if self.resources.iter().any(|granted| granted.api_version == api_version && granted.kind == kind) {
            return Ok(());
        }
        Err(format!("Policy has not been granted access to Kubernetes {api_version}/{kind} resources. The violation has been reported."))
    }
}

#[cfg(test)]
mod tests {
    use super::Gates;

    #[test]
    fn patterns_of_capabilities() {
        let may = |pattern: &str, namespace: &str, operation: &str| {
            Gates { capabilities: Some(vec![pattern.to_owned()]), resources: Vec::new() }.capability(namespace, operation).is_ok()
        };
        assert!(may("*", "oci", "v1/verify") && may("oci/*", "oci", "v1/verify") && may("oci/v1/*", "oci", "v1/verify"));
        assert!(may("oci/v1/verify", "oci", "v1/verify"));
        assert!(!may("oci/v2/*", "oci", "v1/verify") && !may("oc*", "oci", "v1/verify") && !may("net/*", "oci", "v1/verify"));
        let none = Gates { capabilities: Some(Vec::new()), resources: Vec::new() };
        assert!(none.capability("kubernetes", "can_i").is_err());
        assert!(Gates { capabilities: None, resources: Vec::new() }.capability("kubernetes", "can_i").is_ok());
    }
}
