//! What `fedward --version` says: the program, the modules in it, and the renderers.

use std::fmt::Write as _;
use std::sync::LazyLock;

/// The key of a policy's version in its metadata.
const KEY: &str = "io.kubewarden.policy.version:";

/// The program's version, and a line for each module and each library that renders.
pub(crate) fn long() -> &'static str {
    static TEXT: LazyLock<String> = LazyLock::new(text);
    &TEXT
}

fn text() -> String {
    let mut text = env!("CARGO_PKG_VERSION").to_owned();
    for builtin in fedward_modules::ALL {
        let version = builtin.metadata.lines().find_map(|line| line.trim().strip_prefix(KEY)).unwrap_or("").trim();
        // Writing to a string cannot fail.
        let _ = write!(text, "\nmodule {} {version}, {} KB", builtin.id, builtin.wasm.len() / 1000);
    }
    if fedward_render::available() {
        for (name, version) in fedward_render::VERSIONS {
            let _ = write!(text, "\nrenderer {name} {version}");
        }
    } else {
        text.push_str("\nrenderers none: built without Go");
    }
    text
}
