//! Policy manifests of any form, with objects beside them: the built-in modules run natively, expressions in their sandbox.
#![no_main]

use std::sync::LazyLock;
use std::sync::atomic::AtomicUsize;

use fedward_engine::{Found, Modules, Options, Runtime, Sets, run_sets};
use fedward_fuzz::{check_places, files};
use fedward_host::{Host, Limits};
use libfuzzer_sys::fuzz_target;

static HOST: LazyLock<Host> = LazyLock::new(|| Host::new(Limits::default()));

struct Builtin;

impl Modules for Builtin {
    fn find(&self, reference: &str, _manifest: &str) -> Result<Found, String> {
        let id = reference.trim_start_matches("registry://");
        fedward_modules::find(id).map(Found::Builtin).ok_or_else(|| "not here".to_owned())
    }
}

/// What every input ends with, so that policies have something to see.
const OBJECT: &str = "\n---\n{apiVersion: v1, kind: Pod, metadata: {name: till, namespace: shop, labels: {tier: web}}, spec: {}}\n";

fuzz_target!(|bytes: &[u8]| {
    let Some((flags, rest)) = bytes.split_first() else { return };
    let Ok(text) = std::str::from_utf8(rest) else { return };
    let options = Options { closed_world: flags & 1 != 0, threads: 1, runtime: Runtime::Native, ..Options::default() };
    let sets = Sets { host: &HOST, modules: &Builtin, only_given: false };
    let inputs = files(&format!("{text}{OBJECT}"));
    check_places(&run_sets(inputs, Vec::new(), sets, &options, &AtomicUsize::new(0)).0);
});
