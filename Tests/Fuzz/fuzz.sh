#!/usr/bin/env bash
# Feeds every target of FuzzTargets with bytes, by libFuzzer, from Tests/Corpus on; and the door for
# C, which is a program of C (Tests/CDoor/fuzz.c).
#
#   fuzz.sh SECONDS [FLAG...]     so long each; flags for `swift build`
#
# What is new goes to .build/fuzz/TARGET, what goes wrong to .build/fuzz/TARGET-*: put such a file
# into Tests/Corpus/TARGET, where every test run meets it. Status 1: something went wrong.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
seconds=$1
shift

here=.build/fuzz
Tests/Cross/quietly.sh fuzz swift build --product fuzz --sanitize fuzzer \
  --scratch-path "$here/build" -Xswiftc -parse-as-library -Xswiftc -DFUZZER -Xswiftc -O \
  -Xswiftc -enable-testing -Xswiftc -use-ld=lld "$@"
Tests/Cross/quietly.sh "libpagealloc" Sources/CPageAlloc/library.sh fuzzer embedded
"$(dirname "$(readlink -f "$(command -v swiftc)")")/clang" -std=c11 -O1 -g -DFUZZER \
  -fsanitize=fuzzer -fuse-ld=lld -I Sources/CPageAlloc/include Tests/CDoor/fuzz.c \
  .build/lib/embedded-fuzzer/libpagealloc.a -o "$here/door-fuzz"
status=0
for corpus in Tests/Corpus/*/; do
  target=$(basename "$corpus")
  mkdir -p "$here/$target"
  echo "== $target"
  program=$here/build/debug/fuzz
  if [[ $target == door ]]; then program=$here/door-fuzz; fi
  FUZZ_TARGET=$target "$program" -max_total_time="$seconds" -max_len=2048 -timeout=20 \
    -rss_limit_mb=2048 -print_final_stats=1 -artifact_prefix="$here/$target-" \
    "$here/$target" "$corpus" >"$here/$target.log" 2>&1 || status=1
  if ! grep -E '^Done|^stat::(new_units_added|average_exec)' "$here/$target.log"; then
    tail -n 40 "$here/$target.log"
  fi
done
exit "$status"
