#!/usr/bin/env bash
# Runs `fedward check` with what the environment says. Whatever is in the variables is an argument, and never a command.
#
#   FEDWARD_PROGRAM  the program; `fedward`, if empty
#   FEDWARD_PATHS    files and folders, one a line; `.`, if empty
#   FEDWARD_FAIL_ON  the least severity that fails; `error`, if empty
#   FEDWARD_ARGS     further arguments, one a line
#   FEDWARD_FORMAT   the format of standard output; `human`, if empty
#   FEDWARD_SARIF    a file for SARIF; none, if empty
#   FEDWARD_CACHE    a folder for what was rendered; none, if empty
#   FEDWARD_JUNIT    a file for JUnit's XML; none, if empty
set -euo pipefail

arguments=(--fail-on "${FEDWARD_FAIL_ON:-error}" --format "${FEDWARD_FORMAT:-human}")
if [ -n "${FEDWARD_SARIF:-}" ]; then arguments+=(--format "sarif=$FEDWARD_SARIF"); fi
if [ -n "${FEDWARD_JUNIT:-}" ]; then arguments+=(--format "junit=$FEDWARD_JUNIT"); fi
if [ -n "${FEDWARD_CACHE:-}" ]; then arguments+=("--cache=$FEDWARD_CACHE"); fi
while IFS= read -r line; do
  line=${line%$'\r'}
  if [ -n "$line" ]; then arguments+=("$line"); fi
done <<<"${FEDWARD_ARGS:-}"
paths=()
while IFS= read -r line; do
  line=${line%$'\r'}
  if [ -n "$line" ]; then paths+=("$line"); fi
done <<<"${FEDWARD_PATHS:-}"
if [ ${#paths[@]} -eq 0 ]; then paths=(.); fi

exec "${FEDWARD_PROGRAM:-fedward}" check "${arguments[@]}" -- "${paths[@]}"
