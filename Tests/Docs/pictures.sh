#!/usr/bin/env bash
# Draws the pictures of the documentation anew, by pagetool: of the snapshots in
# Tests/Docs/snapshots, the recorded heap of README, and the memory of a recorded program.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

pictures=Sources/PageAlloc/PageAlloc.docc/Resources
pagetool=.build/release/pagetool
for name in filled holes released; do
  "$pagetool" map "Tests/Docs/snapshots/$name.txt" --svg "$pictures/map-$name.svg"
done
"$pagetool" map Sources/pagetool/Workloads/go-compile-gotypes-amd64.trace.gz \
  --svg Sources/pagetool/Pictures/heap-map.svg
"$pagetool" plot Sources/pagetool/Workloads/mmap-redis-jemalloc.trace.gz \
  -o "$pictures/memory-redis.svg"
cp Sources/pagetool/Pictures/heap-map.svg "$pictures"
