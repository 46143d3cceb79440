#!/usr/bin/env bash
# Type-checks every rung of PageAlloc's ladder beside the rungs above it in Sources/README.md, as
# one module: a rung that uses something further down does not compile.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

folder=.build/ladder
mkdir -p "$folder"

mapfile -t rungs < <(awk '/^PageTrace /{on = 0} /^PageAlloc /{on = 1; sub(/PageAlloc/, "         ")}
  on && match($0, /^ +[A-Z][A-Za-z]+  +/) {split($0, word, " "); print word[1]}' Sources/README.md)
listed=$(printf '%s\n' "${rungs[@]}" | sort)
# The catalogue of the documentation has no sources.
present=$(cd Sources/PageAlloc && ls -d */ | grep -v '\.docc/$' | tr -d / | sort)
if [ "$listed" != "$present" ]; then
  echo "error: the rungs in Sources/README.md are not the folders of Sources/PageAlloc:"
  diff <(echo "$listed") <(echo "$present") || true
  exit 1
fi

flags=(-parse-as-library -swift-version 6 -strict-memory-safety -package-name ladder
  -enable-experimental-feature Lifetimes -I "$folder" -I Sources/CSysMem
  -I Sources/CThreadSlots/include -I Sources/CDiagnosis/include)

# Type-checks rung `$1`, counted from 1, beside those above it, of which only what it uses is looked
# at: each of them has its own turn.
check() {
  local files=() rung=${rungs[$1 - 1]} above file
  for above in "${rungs[@]:0:$1 - 1}"; do files+=("Sources/PageAlloc/$above"/*.swift); done
  for file in "Sources/PageAlloc/$rung"/*.swift; do files+=(-primary-file "$file"); done
  swiftc -frontend -typecheck -module-name PageAlloc "${flags[@]}" "${files[@]}" \
    > "$folder/$rung" 2>&1 && touch "$folder/$rung.ok"
}

swiftc -emit-module -module-name SysMem -emit-module-path "$folder/SysMem.swiftmodule" \
  "${flags[@]}" Sources/SysMem/*.swift
rm -f "$folder"/*.ok
# Two at a time: that is how many processors the gate may count on.
for ((count = 1; count <= ${#rungs[@]}; count += 2)); do
  check "$count" &
  if ((count < ${#rungs[@]})); then check "$((count + 1))" || true; fi
  wait $! || true
done

passed=0 failed=0
for rung in "${rungs[@]}"; do
  if [ -f "$folder/$rung.ok" ]; then
    passed=$((passed + 1))
  else
    echo "error: $rung uses what is not above it:"
    grep -m 12 error: "$folder/$rung" || head -n 12 "$folder/$rung"
    failed=$((failed + 1))
  fi
done
echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
