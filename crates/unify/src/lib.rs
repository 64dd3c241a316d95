//! One set of features for the crates that Wasmtime shares with ours; see the manifest.
