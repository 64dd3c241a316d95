#!/usr/bin/env bash
# Builds fedward from the sources that this script lies in, and puts it on the PATH of the job's later steps, unless it is there already.
set -euo pipefail

if command -v fedward >/dev/null; then
  fedward --version
  exit 0
fi
sources=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
cargo build --release --locked --package fedward --manifest-path "$sources/Cargo.toml"
if [ -n "${GITHUB_PATH:-}" ]; then
  printf '%s\n' "$sources/target/release" >>"$GITHUB_PATH"
fi
