//! Helm, Kustomize and Jsonnet as one WebAssembly module, compiled ahead of time and embedded. `crates/render` runs it.

/// The compiled module, compressed with zstd. Empty where the build left it out.
pub static COMPRESSED: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/renderers.zst"));

/// Bytes of the module as WebAssembly, and compiled.
pub const SIZES: [usize; 2] = include!(concat!(env!("OUT_DIR"), "/sizes.rs"));

/// A digest of the module and of how it was compiled: what one module answers another need not. Empty where the build left it out.
pub const DIGEST: &str = include!(concat!(env!("OUT_DIR"), "/digest.rs"));

/// What the module is made of, and the version of each: `helm`, `kustomize`, `jsonnet`, and the `go` that built it.
pub const VERSIONS: &[(&str, &str)] = include!(concat!(env!("OUT_DIR"), "/versions.rs"));

/// Whether this build has the renderers.
#[must_use]
pub fn available() -> bool {
    !COMPRESSED.is_empty()
}
