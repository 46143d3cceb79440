#!/usr/bin/env bash
# Taking a run, using it and giving it back counts no references: neither in a program that does so,
# nor in the library. Reads the code that the compiler makes of both, optimised.
#
#   references.sh [OPTIONS]     options for `swift build`
#
# Prints the functions that matter, a line each: how many instructions they have, and how many calls
# that count references.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

here=.build/references
client=Tests/References/Client.swift
# The toolchain's own tools: another llvm may stand first in the path.
bin=$(dirname "$(readlink -f "$(command -v swiftc)")")
mkdir -p "$here"
Tests/Cross/quietly.sh PageAlloc swift build -c release --target PageAlloc "$@"
swiftc -O -swift-version 6 -strict-memory-safety -warnings-as-errors \
  -enable-experimental-feature Lifetimes -parse-as-library -module-name Client \
  -I .build/release/Modules -I Sources/CSysMem \
  -I Sources/CThreadSlots/include -I Sources/CDiagnosis/include \
  -emit-object -o "$here/client.o" "$client"

# What must be there to be looked at: the client's functions, and the library's that stand behind a
# run.
{
  sed -nE 's/^public func ([A-Za-z]+)\(.*/client \1/p' "$client"
  for name in allocateRun {allocate,deallocate}Coldly adopt bytes; do
    echo "library PageArena.$name"
  done
  for name in {allocate,deallocate}{Inside,Slowly} allocateRun{Inside,Coldly} allocateOwned \
    giveBackOwned{Inside,Slowly} moveOwned takePages; do
    echo "library ArenaCore.$name"
  done
  for name in split shrink grow resize leak deallocate deinit; do echo "library PageRun.$name"; done
} >"$here/wanted"

# Retain and release have many names: of native objects, of bridged ones, of several at once; and of
# functions that the compiler made for copies of a type.
counting='swift_[a-z_]*(retain|release)|outlined (copy|destroy|init|assign|retain|release|consume)'

# WHERE TAB NAME TAB instructions TAB calls that count, for each function of object files.
functions() {
  local where=$1
  shift
  "$bin/llvm-objdump" --disassemble --reloc --no-show-raw-insn "$@" |
    "$bin/swift-demangle" --simplified | awk -v where="$where" -v counting="$counting" '
      function out() { if (name != "") printf "%s\t%s\t%d\t%d\n", where, name, lines, counts }
      /^[0-9a-f]+ <.*>:$/ {
        out()
        name = substr($0, index($0, "<") + 1)
        sub(/>:$/, "", name)
        lines = counts = 0
        next
      }
      /R_X86_64_/ { if (tolower($0) ~ counting) counts++; next }
      /^ *[0-9a-f]+:/ { lines++ }
      END { out() }'
}

{
  functions client "$here/client.o"
  functions library .build/release/PageAlloc.build/*.o
} | awk -F '\t' '
  FILENAME != "-" { wanted[$0] = 1; next }
  {
    # The name alone: without arguments, and without what it was specialised for.
    name = $2
    sub(/^.*specialization <.*> of /, "", name)
    sub(/[(<].*/, "", name)
    key = $1 " " name
    # A text is made of strings, which are counted.
    if (name ~ /^PageRun\.description/) next
    # Of the library: the runs, and the doors of the arena that they go through.
    if ($1 == "library" && name !~ /^PageRun\./ && !(key in wanted)) next
    if (!(key in size)) order[++n] = key
    size[key] += $3
    counts[key] += $4
  }
  END {
    for (i = 1; i <= n; i++) {
      key = order[i]
      if (counts[key]) failed++; else passed++
      if (key in wanted || counts[key])
        printf "%s%s: %d instructions, %d count references\n", counts[key] ? "FAILED: " : "", key,
          size[key], counts[key]
      else
        others++
    }
    printf "%d more: accessors, and functions that ask the kernel\n", others
    for (key in wanted) {
      if (!(key in size)) { printf "FAILED: %s: no such function\n", key; failed++ }
    }
    printf "%d passed, %d failed\n", passed, failed
    exit failed > 0
  }' "$here/wanted" FS='\t' -
