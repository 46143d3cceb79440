#!/usr/bin/env bash
# Builds `crosscheck` as Embedded Swift for one target and runs it.
#
#   crosscheck.sh TARGET build          build only
#   crosscheck.sh TARGET test           run the checks, then the files of Tests/Data/conformance;
#                                       the last line is `N passed, N failed`
#   crosscheck.sh TARGET check FILE...  one line a file, as `pagetool check` does
#   crosscheck.sh TARGET bench          build `crossbench` instead, and run it
#
# TARGET: a row of Tests/Cross/targets.txt. Status: 0 good, 1 mismatches or bad files, 2 misuse.
set -euo pipefail
top=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
here=$top/Tests/Cross

target=$1
command=$2
shift 2

triple=$(awk -v name="$target" '$1 == name { print $2 }' "$here/targets.txt")
if [[ -z $triple ]]; then
  echo "error: crosscheck.sh: no target '$target' in Tests/Cross/targets.txt" >&2
  exit 2
fi
scratch=$top/.build/$target
program=crosscheck

build() {
  (
    cd "$top"
    "$here/provide.sh" "$target"
    "$here/fresh.sh" "$scratch" "$triple"
    "$here/quietly.sh" "$program for $target" swift build -c release --product "$program" \
      -debug-info-format none \
      --triple "$triple" --toolset ".build/cross/$target.json" --scratch-path "$scratch"
  )
}

run() {
  local runner
  runner=$(<"$top/.build/cross/$target.runner")
  ${runner:+"$runner"} "$scratch/$triple/release/$program" "$@"
}

# `crosscheck` reads plain files. A compressed one is unpacked, keeping its name; the folders
# are numbered, since files of different folders may share a name. Sets `plain`.
unpack() {
  local file number=0
  plain=()
  rm -rf "$folder"
  for file; do
    number=$((number + 1))
    if [[ $file == *.gz && -f $file ]]; then
      mkdir -p "$folder/$number"
      if gzip -dc "$file" >"$folder/$number/${file##*/}"; then
        file=$folder/$number/${file##*/}
      else
        unreadable=1
        continue
      fi
    fi
    plain+=("$file")
  done
}

# Errors name a file as it was given, not where it was unpacked.
check() {
  local status=0 folder=$top/.build/data/$target
  unreadable=0
  unpack "$@"
  if ((${#plain[@]})); then
    { run check "${plain[@]}" 2>&1 1>&3 | sed "s|^$folder/[0-9]*/||" >&2; } 3>&1 || status=$?
  fi
  ((status != 0)) || status=$unreadable
  return "$status"
}

# Lets everything through but the closing counts, adds the files that matched, and closes with
# the counts of all. Status 1 stands for failures that the lines have told already.
tally() {
  awk '
    /^[0-9]+ passed, [0-9]+ failed$/ { passed += $1; failed += $3; next }
    /: [0-9]+ operations, [0-9]+ mismatches$/ { if ($(NF - 1) == 0) passed++; else failed++ }
    /^failed with status 1:/ { counted = 1; next }
    /^failed with status / { failed++ }
    { print; fflush() }
    END {
      if (counted && !failed) failed = 1
      printf "%d passed, %d failed\n", passed, failed
      exit failed > 0
    }'
}

# Tests/Data holds its files compressed; here they take their plain names.
conformance() {
  local file folder=$top/.build/data/conformance-$target
  rm -rf "$folder"
  mkdir -p "$folder"
  for file in "$top"/Tests/Data/conformance/*.gz; do
    gzip -dc "$file" >"$folder/$(basename "$file" .gz)" || return 2
  done
  run check "$folder"/*
}

case $command in
  build) build ;;
  check)
    if (($# == 0)); then
      echo "error: no files: make check-$target FILES=\"a.trace b.vec\"" >&2
      exit 2
    fi
    build || exit 2
    check "$@"
    ;;
  test)
    build
    {
      run test || echo "failed with status $?: the checks"
      conformance || echo "failed with status $?: the files of Tests/Data/conformance"
    } 2>&1 | tally
    ;;
  bench)
    program=crossbench
    build
    run
    ;;
  *)
    echo "error: crosscheck.sh: unknown command '$command'" >&2
    exit 2
    ;;
esac
