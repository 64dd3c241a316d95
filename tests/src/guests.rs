//! Policies of others: modules that say one thing, whatever they are asked.

use std::fmt::Write as _;

use fedward_engine::{Found, Modules};

/// What a guest answers.
pub struct Guest {
    /// To `validate`.
    pub verdict: &'static str,
    /// To `validate_settings`.
    pub settings: &'static str,
    /// Asks the host first: namespace, operation, payload. Its error is the message of a rejection.
    pub asks: Option<[&'static str; 3]>,
    /// Refuses all settings with that error, as the SDK does where they have another type.
    pub refuses: Option<&'static str>,
    /// Traps when it is asked about settings.
    pub panics: bool,
    /// Rejects what has not this text in it.
    pub wants: Option<&'static str>,
    /// Never ends.
    pub hangs: bool,
    /// Its metadata.
    pub metadata: Option<&'static str>,
}

/// A guest that accepts everything.
pub const ACCEPTS: Guest = Guest {
    verdict: r#"{"accepted":true}"#,
    settings: r#"{"valid":true}"#,
    asks: None,
    refuses: None,
    panics: false,
    wants: None,
    hangs: false,
    metadata: None,
};

/// The guests by name, as `registry://registry.example/<name>:v1` has them.
pub const GUESTS: &[(&str, Guest)] = &[
    ("accepts", ACCEPTS),
    ("rejects", Guest { verdict: r#"{"accepted":false,"message":"no till runs as root"}"#, ..ACCEPTS }),
    ("warns", Guest { verdict: r#"{"accepted":true,"warnings":["soon no till runs as root"]}"#, ..ACCEPTS }),
    ("says-nothing", Guest { verdict: r#"{"accepted":false}"#, ..ACCEPTS }),
    ("talks-nonsense", Guest { verdict: "yes", ..ACCEPTS }),
    ("hangs", Guest { hangs: true, ..ACCEPTS }),
    ("refuses-settings", Guest { settings: r#"{"valid":false,"message":"`level` is required"}"#, ..ACCEPTS }),
    ("errs-on-settings", Guest { refuses: Some("invalid type: string, expected a sequence"), ..ACCEPTS }),
    ("panics-on-settings", Guest { panics: true, ..ACCEPTS }),
    (
        "raw-errs-on-settings",
        Guest {
            refuses: Some("invalid type: string, expected a sequence"),
            metadata: Some(r#"{"protocolVersion":"v1","mutating":false,"policyType":"raw","rules":[]}"#),
            ..ACCEPTS
        },
    ),
    ("wants-options", Guest { wants: Some(r#""options":{"apiVersion":"meta.k8s.io/v1","kind":"CreateOptions"}"#), ..ACCEPTS }),
    ("warns-twice", Guest { verdict: r#"{"accepted":true,"warnings":["first warning","second warning"]}"#, ..ACCEPTS }),
    (
        "borrows-a-rule",
        Guest {
            verdict: r#"{"accepted":false,"message":"no till","audit_annotations":{"findings":"[{\"rule\":\"missing-azure-label\",\"condition\":\"missing\",\"severity\":\"error\",\"path\":\"/metadata\",\"message\":\"borrowed\",\"docs\":\"\"}]"}}"#,
            ..ACCEPTS
        },
    ),
    (
        "is-of-fedward",
        Guest {
            verdict: r#"{"accepted":false,"message":"no till","warnings":["a till of its own"],"audit_annotations":{"findings":"[{\"rule\":\"missing-azure-label\",\"condition\":\"missing\",\"severity\":\"error\",\"path\":\"/metadata\",\"message\":\"its own\",\"docs\":\"\"}]"}}"#,
            metadata: Some(
                r#"{"protocolVersion":"v1","mutating":false,"annotations":{"io.fedward.offline-rules":"[]"},"rules":[{"apiGroups":[""],"apiVersions":["v1"],"resources":["configmaps"],"operations":["CREATE"]}]}"#,
            ),
            ..ACCEPTS
        },
    ),
    (
        "warns-beside-findings",
        Guest { verdict: r#"{"accepted":true,"warnings":["a till of its own"],"audit_annotations":{"findings":"[]"}}"#, ..ACCEPTS },
    ),
    (
        "labels",
        Guest {
            verdict: r#"{"accepted":true,"mutated_object":{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"till","namespace":"shop","labels":{"owner":"shop"}}}}"#,
            ..ACCEPTS
        },
    ),
    (
        "marks",
        Guest {
            verdict: r#"{"accepted":true,"mutated_object":{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"till","namespace":"shop","labels":{"owner":"shop","mark":"1"}}}}"#,
            ..ACCEPTS
        },
    ),
    (
        "writes-secrets",
        Guest {
            verdict: r#"{"accepted":true,"mutated_object":{"apiVersion":"v1","kind":"Secret","metadata":{"name":"till","namespace":"shop"},"stringData":{"pin":"4711-after"}}}"#,
            ..ACCEPTS
        },
    ),
    (
        "reads-namespace",
        Guest { asks: Some(["kubernetes", "get_resource", r#"{"api_version":"v1","kind":"Namespace","name":"shop"}"#]), ..ACCEPTS },
    ),
    ("lists", Guest { asks: Some(["kubernetes", "list_resources_all", r#"{"api_version":"v1","kind":"Namespace"}"#]), ..ACCEPTS }),
    (
        "lists-within",
        Guest {
            asks: Some(["kubernetes", "list_resources_by_namespace", r#"{"api_version":"v1","kind":"ConfigMap","namespace":"shop"}"#]),
            ..ACCEPTS
        },
    ),
    (
        "may-it",
        Guest {
            asks: Some([
                "kubernetes",
                "can_i",
                r#"{"subject_access_review":{"user":"ana","groups":[],"resource_attributes":{"group":"","name":"","namespace":"shop","resource":"pods","subresource":"","verb":"get","version":"v1"}},"disable_cache":false}"#,
            ]),
            ..ACCEPTS
        },
    ),
    ("logs", Guest { asks: Some(["tracing", "log", r#"{"level":"info","message":"a till"}"#]), ..ACCEPTS }),
    ("verifies", Guest { asks: Some(["oci", "v2/verify", r#"{"type":"SigstorePubKeyVerify"}"#]), ..ACCEPTS }),
    ("trusts", Guest { asks: Some(["crypto", "v1/is_certificate_trusted", "{}"]), ..ACCEPTS }),
    ("caches", Guest { asks: Some(["cache", "get", r#"{"key":"till"}"#]), ..ACCEPTS }),
    ("asks-the-unknown", Guest { asks: Some(["kubernetes", "delete_resource", "{}"]), ..ACCEPTS }),
    ("asks-elsewhere", Guest { asks: Some(["moon", "phase", "{}"]), ..ACCEPTS }),
    ("looks-up", Guest { asks: Some(["net", "v1/dns_lookup_host", r#""till.example""#]), ..ACCEPTS }),
    (
        "for-services",
        Guest {
            verdict: r#"{"accepted":false,"message":"no services"}"#,
            metadata: Some(
                r#"{"protocolVersion":"v1","mutating":false,"rules":[{"apiGroups":[""],"apiVersions":["v1"],"resources":["services"],"operations":["CREATE"]}]}"#,
            ),
            ..ACCEPTS
        },
    ),
    ("claims-nothing", Guest { verdict: r#"{"accepted":false,"message":"no","audit_annotations":{"findings":"[]"}}"#, ..ACCEPTS }),
    ("makes-a-number", Guest { verdict: r#"{"accepted":true,"mutated_object":7}"#, ..ACCEPTS }),
    (
        "changes-raw",
        Guest {
            verdict: r#"{"accepted":true,"mutated_object":{"uid":"7","till":2}}"#,
            metadata: Some(r#"{"protocolVersion":"v1","mutating":true,"policyType":"raw","rules":[]}"#),
            ..ACCEPTS
        },
    ),
    (
        "is-raw",
        Guest {
            verdict: r#"{"accepted":false,"message":"no till"}"#,
            metadata: Some(r#"{"protocolVersion":"v1","mutating":false,"policyType":"raw","rules":[]}"#),
            ..ACCEPTS
        },
    ),
    ("is-rego", Guest { metadata: Some(r#"{"mutating":false,"executionMode":"gatekeeper","rules":[]}"#), ..ACCEPTS }),
];

/// The guests and the built-in policies.
pub struct Known;

impl Modules for Known {
    fn find(&self, reference: &str, _manifest: &str) -> Result<Found, String> {
        let name = reference.trim_start_matches("registry://");
        if let Some(builtin) = fedward_modules::find(name) {
            return Ok(Found::Builtin(builtin));
        }
        let name = name.trim_start_matches("registry.example/").trim_end_matches(":v1");
        let guest = GUESTS.iter().find(|(known, _)| *known == name);
        guest.map(|(_, guest)| Found::Wasm(guest.module())).ok_or_else(|| "it is not here".to_owned())
    }
}

impl Guest {
    /// The module in the binary format.
    pub fn module(&self) -> Vec<u8> {
        let asks = self.asks.unwrap_or(["", "", ""]);
        let wanted = self.wants.unwrap_or_default();
        let refusal = self.refuses.unwrap_or_default();
        let texts = [
            self.verdict,
            self.settings,
            "kubewarden",
            asks[0],
            asks[1],
            asks[2],
            r#"{"accepted":false,"message":""#,
            "\"}",
            refusal,
            wanted,
            "{\"accepted\":false,\"message\":\"lacks it\"}",
        ];
        let mut data = String::new();
        let mut spans = Vec::new();
        let mut at = 16;
        for text in texts {
            let escaped: String = text.bytes().map(|byte| format!("\\{byte:02x}")).collect();
            writeln!(data, "(data (i32.const {at}) \"{escaped}\")").unwrap();
            spans.push(format!("(i32.const {at}) (i32.const {})", text.len()));
            at += text.len();
        }
        let (before, after) = (&spans[6], &spans[7]);
        let ask = format!(
            "(if (i32.ne (call $host_call {} {} {} {}) (i32.const 1)) (then
               (local.set $length (call $host_error_length))
               (memory.copy (i32.const 32768) {before})
               (call $host_error (i32.add (i32.const 32768) (i32.const {start})))
               (memory.copy (i32.add (i32.add (i32.const 32768) (i32.const {start})) (local.get $length)) {after})
               (call $respond (i32.const 32768) (i32.add (i32.const {around}) (local.get $length)))
               (return (i32.const 1))))",
            spans[2],
            spans[3],
            spans[4],
            spans[5],
            start = texts[6].len(),
            around = texts[6].len() + texts[7].len(),
        );
        // The request, byte by byte, against the text at each place.
        let search = format!(
            "(call $request (i32.const 60000) (i32.const 65536))
             (block $found (loop $next
               (if (i32.gt_u (i32.add (local.get $at) (i32.const {length})) (local.get $size)) (then
                 (call $respond {})
                 (return (i32.const 1))))
               (local.set $same (i32.const 0))
               (block $differs (loop $byte
                 (br_if $found (i32.eq (local.get $same) (i32.const {length})))
                 (br_if $differs (i32.ne
                   (i32.load8_u (i32.add (i32.const 65536) (i32.add (local.get $at) (local.get $same))))
                   (i32.load8_u (i32.add {start} (local.get $same)))))
                 (local.set $same (i32.add (local.get $same) (i32.const 1)))
                 (br $byte)))
               (local.set $at (i32.add (local.get $at) (i32.const 1)))
               (br $next)))",
            spans[10],
            length = wanted.len(),
            start = spans[9].split(" (i32").next().unwrap_or_default(),
        );
        let text = format!(
            "(module
               (import \"wapc\" \"__guest_response\" (func $respond (param i32 i32)))
               (import \"wapc\" \"__guest_request\" (func $request (param i32 i32)))
               (import \"wapc\" \"__guest_error\" (func $fail (param i32 i32)))
               (import \"wapc\" \"__host_call\" (func $host_call (param i32 i32 i32 i32 i32 i32 i32 i32) (result i32)))
               (import \"wapc\" \"__host_error_len\" (func $host_error_length (result i32)))
               (import \"wapc\" \"__host_error\" (func $host_error (param i32)))
               (memory (export \"memory\") 2)
               {data}
               (func (export \"__guest_call\") (param $operation i32) (param $size i32) (result i32) (local $length i32)
                 (local $at i32) (local $same i32)
                 (if (i32.eq (local.get $operation) (i32.const {settings})) (then
                   {about_settings}
                   (call $respond {})
                   (return (i32.const 1))))
                 {hang}
                 {search}
                 {ask}
                 (call $respond {})
                 (i32.const 1)))",
            spans[1],
            spans[0],
            settings = "validate_settings".len(),
            about_settings = match (self.refuses, self.panics) {
                (Some(_), _) => format!("(call $fail {}) (return (i32.const 0))", spans[8]),
                (None, true) => "unreachable".to_owned(),
                (None, false) => String::new(),
            },
            search = if self.wants.is_some() { search.as_str() } else { "" },
            hang = if self.hangs { "(loop $again (br $again))" } else { "" },
            ask = if self.asks.is_some() { ask.as_str() } else { "" },
        );
        let mut wasm = wat::parse_str(&text).unwrap();
        if let Some(metadata) = self.metadata {
            let name = "io.kubewarden.metadata";
            let mut section = vec![name.len() as u8];
            section.extend(name.bytes().chain(metadata.bytes()));
            wasm.push(0);
            let mut length = section.len();
            while length > 127 {
                wasm.push(length as u8 | 128);
                length >>= 7;
            }
            wasm.push(length as u8);
            wasm.extend(section);
        }
        wasm
    }
}
