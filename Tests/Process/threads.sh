#!/usr/bin/env bash
# Runs a program in which 33,000 threads use an arena one after another, and counts mappings.
#
#   threads.sh [OPTIONS]     options for `swift build`
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
. Tests/Process/program.sh

build_program Threads "$@"
if said=$("$here/Threads" 2>&1); then
  echo "  $said"
  echo "1 passed, 0 failed"
else
  echo "  FAILED: $said"
  echo "0 passed, 1 failed"
  exit 1
fi
