#!/usr/bin/env bash
# Builds one thing after another while gates run that do not need it: most of a build is one
# compiler's, on one processor. Prints nothing. A gate whose program is not ready waits, and builds
# what could not be built, so that errors are told there.
#
#   ahead.sh WHAT...     WHAT: a row of Tests/Cross/targets.txt, `examples`, or `hotpath`, which
#                        `make bench-gate` runs
#
# It ends, and what it started with it, when it is asked to (SIGTERM).
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
mkdir -p .build

build() {
  case $1 in
    examples) Sources/Examples/examples.sh build ;;
    hotpath) Benchmarks/build.sh hotpath ;;
    *) Tests/Cross/crosscheck.sh "$1" build ;;
  esac
}

# Each is a group of processes of its own.
set -m
for what; do
  build "$what" &
  trap 'kill -- -$! 2>/dev/null; exit' TERM
  wait $!
done >.build/ahead.log 2>&1 </dev/null
