#!/usr/bin/env bash
# Two copies of the library in one process, a program's and a dynamic library's, leave each other
# alone.
#
#   two-copies.sh [OPTIONS]     options for `swift build`
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

here=.build/two-copies
# The toolchain's own tools: another llvm may stand first in the path.
bin=$(dirname "$(readlink -f "$(command -v swiftc)")")
mkdir -p "$here"
Tests/Cross/quietly.sh PageAlloc swift build -c release --target PageAlloc "$@"
objects=(.build/release/{SysMem,PageAlloc,CThreadSlots,CDiagnosis}.build/*.o)
options=(-O -swift-version 6 -strict-memory-safety -warnings-as-errors
  -I .build/release/Modules -I Sources/CSysMem -I Sources/CThreadSlots/include
  -I Sources/CDiagnosis/include)
swiftc "${options[@]}" -parse-as-library -module-name Other -emit-module \
  -emit-module-path "$here/Other.swiftmodule" -emit-library -o "$here/libOther.so" \
  Tests/TwoCopies/Other.swift "${objects[@]}"
# A program exports what a library that it is linked against has, too.
swiftc "${options[@]}" -module-name Main -I "$here" -o "$here/two-copies" \
  Tests/TwoCopies/Main.swift "${objects[@]}" -L "$here" -lOther \
  -Xlinker -rpath -Xlinker "$PWD/$here"

passed=0 failed=0
# verdict NAME WHETHER [WHAT]
verdict() {
  if (($2)); then
    passed=$((passed + 1))
  else
    failed=$((failed + 1))
    printf 'FAILED: %s\n%s\n' "$1" "${3:-}"
  fi
}

# What a program of C or Swift may write to is each copy's own: no other can be bound to it.
for file in libOther.so two-copies; do
  exported=$("$bin/llvm-nm" --dynamic --extern-only --defined-only "$here/$file" |
    awk '$2 ~ /[BDGSCV]/ && $3 ~ /^(cts|cdg|csm)_/ { print $3 }')
  verdict "what $file exports of the C targets" $((${#exported} == 0)) "$exported"
done

export SWIFT_BACKTRACE=enable=no
ulimit -c 0
said=$(timeout 60 "$here/two-copies" share 2>&1) && status=0 || status=$?
verdict "two threads use both" $((status == 0)) "status $status: $said"

# 139: by SIGSEGV.
said=$({ timeout 60 "$here/two-copies" faults; } 2>&1) && status=0 || status=$?
reports=$(grep -c ' faulted at 0x' <<<"$said" || true)
verdict "a fault is told of once" $((status == 139 && reports == 1)) \
  "status $status, $reports reports: $(head -n 5 <<<"$said")"

echo "$passed passed, $failed failed"
((failed == 0))
