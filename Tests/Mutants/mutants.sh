#!/usr/bin/env bash
# Does a broken library fail the checks? Breaks it in one place at a time, in a copy, and looks.
#
#   mutants.sh [COUNT [SEED]]     a sample of so many; 40 and 1 if not told
#   mutants.sh list [COUNT [SEED]]     the sample alone, and how many mutants each rung has
#
# Every rung of the ladder takes part, and the sample has as many mutants of one as of another. As
# many are tried at a time as there are processors.
#
# A mutant meets the checks of its own folder first, then all of them. It is killed when it
# does not compile, when a check or a conformance file fails, when it traps or when it does not end;
# the check that ran last is printed. Survivors are printed; each is either a check that is missing,
# or the same program written differently. Status 1: fewer than 95 of 100 were killed.
set -euo pipefail
top=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
isList=0
if [[ ${1:-} == list ]]; then
  isList=1
  shift
fi
count=${1:-40} seed=${2:-1}
work=$top/.build/mutants

mkdir -p "$work"
cd "$top"
# Each folder is a rung, as Tests/Ladder sees to.
mapfile -t rungs < <(printf '%s\n' Sources/PageAlloc/*/ | grep -v '\.docc/$')
files=()
for rung in "${rungs[@]}"; do
  for file in "$rung"*.swift; do
    case $file in
      # What looks for our own mistakes and tells of them, and what only checks call.
      *+Invariants.swift | */Corruption.swift | */Standalone*.swift | *+Testing.swift) ;;
      *) files+=("$file") ;;
    esac
  done
done
awk -f Tests/Mutants/mutants.awk "${files[@]}" >"$work/all"
# In turns: the first of each rung, the second of each ... The same seed, the same sample.
awk -F / -v seed="$seed" 'BEGIN { srand(seed) } { printf "%s\t%.9f\t%s\n", $3, rand(), $0 }' \
  "$work/all" | sort -t $'\t' -k 1,1 -k 2,2n |
  awk -F '\t' '$1 != rung { rung = $1; turn = 0 } { print ++turn "\t" $0 }' |
  sort -t $'\t' -k 1,1n -k 3,3n | cut -f 4- |
  awk -v count="$count" 'NR <= count' >"$work/sample"
echo "$(wc -l <"$work/all") mutants, of which $(wc -l <"$work/sample") are tried (seed $seed)"
if ((isList)); then
  for rung in "${rungs[@]}"; do
    echo "$rung: $(grep -c "^$rung" "$work/all") mutants, $(grep -c "^$rung" "$work/sample") tried"
  done
  cat "$work/sample"
  exit
fi

mkdir -p "$work/conformance"
for file in "$top"/Tests/Data/conformance/*.gz; do
  gzip -dc "$file" >"$work/conformance/$(basename "$file" .gz)"
done

# Swift's own report of a trap takes a second.
export SWIFT_BACKTRACE=enable=no

# A debug build: file by file, which is several times faster to repeat than a whole module.
build() {
  swift build --package-path "$here/tree" --scratch-path "$here/build" --product crosscheck \
    >"$here/said" 2>&1
}
# Ends at the first check that fails: the program's next line meets a closed pipe. Fails after so
# many seconds.
limit=900
survives() {
  local program=$here/build/debug/crosscheck
  { (($# == 0)) || passes "$@"; } && passes &&
    timeout 60 "$program" check "$work"/conformance/* >>"$here/said" 2>&1 </dev/null
}
passes() {
  timeout "$limit" "$program" test "$@" 2>&1 </dev/null |
    awk '{ print } /FAILED/ { exit 1 }' >"$here/said"
}

# The names of the checks that stand in the folder of a source's name, up to what is put in.
names_of() {
  local checks=Tests/PageChecks/${1#Sources/PageAlloc/}
  grep -ohE '\<Check\("[^"\\]+' "${checks%/*}"/*.swift 2>/dev/null | cut -d '"' -f 2 || true
}

# The check that ran last, or the conformance file; the program indents what else it says.
last() {
  awk '/^  [^ ]/ && !/FAILED/ { name = $0 } / mismatches$/ { name = "  " $0 }
    END { print name }' "$here/said"
}

# Each worker has a copy and a build of its own, and tries its share of the sample.
worker() {
  here=$work/$1
  rm -rf "$here/tree"
  mkdir -p "$here/tree"
  cp -r "$top/Package.swift" "$top/Sources" "$top/Tests" "$here/tree/"
  build || { cat "$here/said"; return 1; }
  local start=$SECONDS how own
  survives || { tail -20 "$here/said"; echo "error: the checks fail without a mutant"; return 1; }
  # What goes on for more than twice as long as the library does not end: as busy as the machine is.
  limit=$((2 * (SECONDS - start) + 60))
  echo "worker $1: $((SECONDS - start)) seconds without a mutant; one has $limit"

  cd "$here/tree"
  while IFS=$'\t' read -r file line column from to; do
    cp "$file" "$here/original"
    awk -v line="$line" -v column="$column" -v from="$from" -v to="$to" '
      FNR == line {
        $0 = substr($0, 1, column - 1) to substr($0, column + length(from))
      }
      { print }' "$here/original" >"$file"
    mapfile -t own < <(names_of "$file")
    if ! build; then
      how="does not compile"
    elif survives "${own[@]}"; then
      how="SURVIVED"
    else
      how="killed by$(last)"
    fi
    echo "$how -- ${file#Sources/PageAlloc/}:$line:$column '$from' -> '$to'" |
      tee -a "$work/results"
    if [[ $how == SURVIVED ]]; then sed -n "${line}p" "$here/original"; fi
    cp "$here/original" "$file"
  done < <(awk -v workers="$workers" -v number="$1" 'NR % workers == number' "$work/sample")
}

workers=$(nproc)
: >"$work/results"
for ((number = 0; number < workers; number++)); do
  worker "$number" &
done
wait
killed=$(grep -vc ^SURVIVED "$work/results") || true
survived=$(grep -c ^SURVIVED "$work/results") || true
echo "$killed killed, $survived survived"
((killed + survived == $(wc -l <"$work/sample"))) || { echo "error: not all were tried"; exit 2; }
((survived * 20 <= killed + survived))
