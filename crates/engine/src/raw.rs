//! Raw policies: modules that judge any JSON, as behind a policy server's `/validate_raw` (policy-evaluator, `ValidateRequest::Raw`).

use std::sync::Arc;

use fedward_host::{Cache, Host, HostCalls, Module};
use fedward_kit::context::NOT_KNOWN;
use serde_json::Value;

use crate::EngineError;
use crate::judge::Response;
use crate::metadata::Metadata;
use crate::policies::{self, Unusable};

/// A module that judges any JSON.
pub struct Raw(Module);

/// What it says.
#[derive(Debug, Clone, PartialEq)]
pub struct RawVerdict {
    /// Whether it accepts the request.
    pub accepted: bool,
    /// Why not.
    pub message: String,
    /// What it warns of.
    pub warnings: Vec<String>,
    /// The request as it wants it.
    pub mutated: Option<Value>,
}

impl Raw {
    /// Takes a module in the binary format. A cache keeps what compiling it costs.
    ///
    /// # Errors
    /// A module that does not load, or that says that it judges objects.
    pub fn new(host: &Host, cache: Option<&Cache>, wasm: &[u8]) -> Result<Self, String> {
        let metadata = Metadata::of_module(wasm)?;
        if let Some(metadata) = &metadata {
            if let Some(reason) = metadata.refuses() {
                return Err(format!("the module {reason}"));
            }
            if !metadata.is_raw() {
                return Err("the module is no raw policy: its metadata does not say `policyType: raw`".to_owned());
            }
        }
        policies::compiled(host, cache, wasm).map(Raw)
    }

    /// Asks it about a request, with settings (a JSON object, or null).
    ///
    /// # Errors
    /// A module that breaks or answers nonsense, settings that it refuses; `id` is its name in them.
    pub fn judge(&self, id: &str, settings: &Value, request: &Value) -> Result<RawVerdict, EngineError> {
        let policy = || id.to_owned();
        let settings = if settings.is_null() { serde_json::json!({}) } else { settings.clone() };
        policies::accepts_settings(&self.0, &settings).map_err(|unusable| match unusable {
            Unusable::Module(message) => EngineError::Policy { policy: policy(), message },
            Unusable::Settings(message) => EngineError::Settings { policy: policy(), message },
        })?;
        let payload = serde_json::json!({ "request": request, "settings": settings }).to_string();
        let mut evaluator = self.0.evaluator();
        let answer = evaluator.validate(payload.as_bytes(), &mut Offline).map_err(|error| error.to_string());
        let response = answer.and_then(Response::read).map_err(|message| EngineError::Policy { policy: policy(), message })?;
        Ok(RawVerdict {
            accepted: response.accepted,
            message: response.message.unwrap_or_default(),
            warnings: response.warnings.unwrap_or_default(),
            mutated: response.mutated_object.filter(|mutated| response.accepted && mutated != request),
        })
    }
}

/// Nothing is answered: there are no objects that could be asked for.
struct Offline;

impl HostCalls for Offline {
    fn call(&mut self, _binding: &str, namespace: &str, operation: &str, _payload: &[u8]) -> Result<Arc<[u8]>, String> {
        Err(format!("{NOT_KNOWN}{namespace}/{operation} is not answered offline"))
    }
}
