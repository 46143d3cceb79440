#!/usr/bin/env bash
# What must not compile does not, and for the reason it states.
#
# Every file here says in its first line what the compiler must complain of: `// expect: TEXT`, or
# `// expect: nothing` for one that must compile without a word.
set -euo pipefail
top=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
modules=${1:-$top/.build/debug/Modules}

passed=0 failed=0
for file in "$top"/Tests/Compile/*.swift; do
  expected=$(sed -n '1s|^// expect: ||p' "$file")
  # -emit-sil: ownership is checked behind the type checker.
  said=$(swiftc -swift-version 6 -strict-memory-safety -warnings-as-errors \
    -enable-experimental-feature Lifetimes -parse-as-library \
    -emit-sil -o /dev/null -I "$modules" -I "$top/Sources/CSysMem" \
    -I "$top/Sources/CThreadSlots/include" -I "$top/Sources/CDiagnosis/include" "$file" 2>&1) &&
    status=0 || status=1
  if [[ $expected == nothing ]]; then
    [[ $status == 0 && -z $said ]] && good=1 || good=0
  else
    [[ $status == 1 && -n $expected && $said == *"error: "*"$expected"* ]] && good=1 || good=0
  fi
  if ((good)); then
    passed=$((passed + 1))
  else
    failed=$((failed + 1))
    printf 'FAILED: %s: expected: %s\n%s\n' "${file##*/}" "$expected" "$said"
  fi
done
echo "$passed passed, $failed failed"
((failed == 0))
