//! Findings to human, JSON and SARIF output.
