#!/usr/bin/env bash
# What the library offers, each declaration in full, is what Tests/Compile/interface.txt lists.
#
#   interface.sh            status 1, with the lines, where one is new or has gone
#   interface.sh record     writes the list anew
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

list=Tests/Compile/interface.txt
folder=.build/interface
Tests/Cross/symbols.sh "$folder"
for graph in "$folder"/*.symbols.json; do
  awk -f Tests/Compile/interface.awk "$graph"
done | LC_ALL=C sort -u >"$folder/declarations"
[[ -s $folder/declarations ]]

if [[ ${1:-} == record ]]; then
  cp "$folder/declarations" "$list"
elif diff "$list" "$folder/declarations" >"$folder/difference"; then
  echo "1 passed, 0 failed"
else
  echo "FAILED: the public interface is not that of $list (interface.sh record writes it anew):"
  grep '^[<>]' "$folder/difference" | sed 's/^</gone: /; s/^>/new:  /'
  echo "0 passed, 1 failed"
  exit 1
fi
