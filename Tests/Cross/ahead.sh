#!/usr/bin/env bash
# Builds `crosscheck` for one target after another while gates run that do not need it: most of a
# build is one compiler's, on one processor. Prints nothing. A gate whose target is not ready waits,
# and builds what could not be built, so that errors are told there.
#
#   ahead.sh TARGET...     ends, and what it started with it, when it is asked to (SIGTERM)
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
mkdir -p .build

set -m
for target; do
  Tests/Cross/crosscheck.sh "$target" build &
  trap 'kill -- -$! 2>/dev/null; exit' TERM
  wait $!
done >.build/ahead.log 2>&1 </dev/null
