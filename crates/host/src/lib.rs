//! The waPC host on Wasmtime: limits, host capabilities, instance strategies.
