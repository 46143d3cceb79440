#!/usr/bin/env bash
# Drops what was built when a C header changed: SwiftPM does not rebuild for the headers of
# system libraries.
#
#   fresh.sh SCRATCH TRIPLE
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

stamp=$1/headers.$2
now=$(cat {Sources,Tests}/C*/*.h {Sources,Tests}/C*/module.modulemap | cksum)
if [[ ! -e $stamp || $(<"$stamp") != "$now" ]]; then
  rm -rf "${1:?}/${2:?}"
  mkdir -p "$1"
  printf '%s\n' "$now" >"$stamp"
fi
