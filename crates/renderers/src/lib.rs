//! Helm, Kustomize and Jsonnet as one WebAssembly module, compiled ahead of time and embedded. `crates/render` runs it.

mod mount;

pub use mount::MOUNT;

/// The compiled module: parts that are compressed by themselves, each after its length. Empty where the build left it out.
static COMPRESSED: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/renderers.zst"));

/// Bytes of a part of the compiled module; the last may be shorter.
pub const PART: usize = include!(concat!(env!("OUT_DIR"), "/part.rs"));

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

/// The parts of the compiled module in their order, compressed with zstd.
#[must_use]
pub fn parts() -> Vec<&'static [u8]> {
    let mut parts = Vec::new();
    let mut rest = COMPRESSED;
    while let Some((length, after)) = rest.split_first_chunk()
        && let Some((part, after)) = after.split_at_checked(u32::from_le_bytes(*length) as usize)
    {
        parts.push(part);
        rest = after;
    }
    parts
}
