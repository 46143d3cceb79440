#!/usr/bin/env bash
# Writes the symbol graphs of the library's public interface, as the debug build has it: what it
# declares itself, what it hands on of SysMem's, and what it adds to types of the standard library.
#
#   symbols.sh FOLDER
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

rm -rf "$1"
mkdir -p "$1"
swift symbolgraph-extract -pretty-print -module-name PageAlloc -target x86_64-unknown-linux-gnu \
  -minimum-access-level public -skip-synthesized-members \
  -experimental-allowed-reexported-modules=SysMem -output-dir "$1" \
  -I .build/debug/Modules -I Sources/CSysMem -I Sources/CThreadSlots/include \
  -I Sources/CDiagnosis/include
