//! The built-in policy modules, compiled ahead of time and embedded.
