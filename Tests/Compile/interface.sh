#!/usr/bin/env bash
# The names that the library offers are those of Tests/Compile/interface.txt.
#
#   interface.sh            status 1, with the names, where one is new or has gone
#   interface.sh record     writes the list anew
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

list=Tests/Compile/interface.txt
folder=.build/interface
mkdir -p "$folder"
swift symbolgraph-extract -module-name PageAlloc -target x86_64-unknown-linux-gnu \
  -minimum-access-level public -skip-synthesized-members -output-dir "$folder" \
  -I .build/debug/Modules -I Sources/CSysMem -I Sources/CThreadSlots/include \
  -I Sources/CDiagnosis/include
# A symbol's place is a list of strings.
grep -o '"pathComponents":\["[^]]*"\]' "$folder/PageAlloc.symbols.json" |
  sed 's/^[^[]*\["//; s/"\]$//; s/","/./g' | LC_ALL=C sort -u >"$folder/names"
[[ -s $folder/names ]]

if [[ ${1:-} == record ]]; then
  cp "$folder/names" "$list"
elif diff "$list" "$folder/names" >"$folder/difference"; then
  echo "1 passed, 0 failed"
else
  echo "FAILED: the public interface is not that of $list (interface.sh record writes it anew):"
  grep '^[<>]' "$folder/difference" | sed 's/^</gone: /; s/^>/new:  /'
  echo "0 passed, 1 failed"
  exit 1
fi
