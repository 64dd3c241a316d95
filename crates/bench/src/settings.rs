//! Settings before anything is measured.

use std::collections::HashSet;

use fedward_host::Module;
use serde::Deserialize;

use crate::context::host;
use crate::{BenchError, Plan, Request, shown};

/// Asks the module about every settings that requests have.
///
/// # Errors
/// Settings that it refuses, or about which it does not say anything.
pub(crate) fn check(plan: &Plan<'_>, module: &Module, requests: &[Request]) -> Result<(), BenchError> {
    #[derive(Deserialize)]
    struct Answer {
        valid: bool,
        message: Option<String>,
    }
    let mut evaluator = module.evaluator();
    let mut known = HashSet::new();
    for request in requests {
        if !known.insert(request.settings()) {
            continue;
        }
        // Those of most runs are the same for all.
        let what = if known.len() == 1 { "the settings".to_owned() } else { format!("the settings of {}", request.name) };
        let answer = evaluator
            .validate_settings(request.settings(), &mut *host(plan.context, plan.wasm))
            .map_err(|error| BenchError::settings(&what, &error))?;
        let answer: Answer = serde_json::from_slice(answer).map_err(|_| BenchError::Settings {
            settings: what.clone(),
            message: "its answer does not say whether they are valid".to_owned(),
        })?;
        if !answer.valid {
            let message = shown(&answer.message.unwrap_or_else(|| "it does not say why".to_owned()));
            return Err(BenchError::SettingsRefused { settings: what, message });
        }
    }
    Ok(())
}
