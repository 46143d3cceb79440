#!/usr/bin/env bash
# Gets what the benchmarks need and builds one of their programs.
#
#   build.sh bench      with the rivals; those that cannot be had are named, and left out
#   build.sh hotpath    with valgrind
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
provide=Tests/Cross/provide.sh

if [[ $1 == bench ]]; then
  for rival in jemalloc mimalloc tcmalloc; do
    "$provide" "$rival" || {
      echo "note: $rival is left out" >&2
      rm -f ".build/cross/peers/$rival"
    }
  done
else
  "$provide" valgrind
fi

# SwiftPM takes no notice of a file that is new in a package next door.
Tests/Cross/fresh.sh Benchmarks/.build x86_64-unknown-linux-gnu
stamp=Benchmarks/.build/files
now=$(find Sources -name '*.swift' | sort)
if [[ ! -e $stamp || $(<"$stamp") != "$now" ]]; then
  touch Benchmarks/Package.swift Package.swift
  printf '%s\n' "$now" >"$stamp"
fi
# For the package next door: it is to offer the loops of the benchmarks.
export PAGEALLOC_BENCHMARKS=1
# Without the compilers' tables: callgrind gives up on some of clang's.
Tests/Cross/quietly.sh "$1" swift build -c release --package-path Benchmarks --product "$1" \
  -Xlinker --strip-debug
