#!/usr/bin/env bash
# Counts the instructions of hot operations, and compares them with recorded bounds.
#
#   gate.sh             status 1 when one takes over 2 % more than Benchmarks/gate.tsv says;
#                       by another compiler than the table's the counts are shown, and not judged
#   gate.sh record      writes Benchmarks/gate.tsv anew
#
# Each operation runs twice under callgrind, with different numbers of iterations: the difference
# is the operation, without start and set-up. Time is not repeatable, this is: to a tenth of an
# instruction. The counts belong to one compiler; the first line of the table says which. What the C
# library does for a processor's sake is left out: it takes the same way everywhere.
set -euo pipefail
top=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$top"
export LC_ALL=C

table=Benchmarks/gate.tsv
program=Benchmarks/.build/release/hotpath
few=5000
many=25000
record=${1:-}

mapfile -t tool <.build/cross/valgrind
[[ -z ${tool[1]:-} ]] || export VALGRIND_LIB=${tool[1]}
export GLIBC_TUNABLES=glibc.cpu.hwcaps=-AVX2,-AVX2_Usable,-AVX512F,-AVX512VL,-ERMS,-FSRM

count() {
  "${tool[0]}" --tool=callgrind --callgrind-out-file=/dev/null "$program" "$1" "$2" \
    2>&1 >/dev/null |
    awk '/Collected/ { print $NF; found = 1 } END { exit !found }'
}

# NAME TAB instructions an operation
measure() {
  local low high
  low=$(count "$1" "$few")
  high=$(count "$1" "$many")
  if ((high <= low)); then
    echo "error: $1 does nothing: is the program of these sources?" >&2
    return 1
  fi
  awk -v name="$1" -v d="$((high - low))" -v n="$((many - few))" \
    'BEGIN { printf "%s\t%.1f\n", name, d / n }'
}

compiler=$(swift --version 2>/dev/null | sed -nE 's/.*(Swift version [0-9.]+).*/\1/p')
results=.build/gate.tsv
# Two at a time.
: >"$results"
mapfile -t names < <("$program")
for ((i = 0; i < ${#names[@]}; i += 2)); do
  for name in "${names[@]:i:2}"; do measure "$name" >"$results.${name//\//_}" & done
  for job in $(jobs -p); do wait "$job"; done
  for name in "${names[@]:i:2}"; do
    cat "$results.${name//\//_}" >>"$results"
    rm "$results.${name//\//_}"
  done
done

if [[ $record == record ]]; then
  {
    echo "# Instructions an operation, x86_64, release, $compiler: make bench-gate RECORD=1"
    cat "$results"
  } >"$table"
  cat "$table"
  exit
fi

recorded=$(sed -nE '1s/.*(Swift version [0-9.]+).*/\1/p' "$table")
awk -F '\t' -v judged="$([[ $recorded == "$compiler" ]] && echo 1)" '
  FNR == NR { if ($0 !~ /^#/) bound[$1] = $2; next }
  FNR == 1 {
    printf "%-26s %10s %10s %8s\n", "instructions an operation", "now", "recorded", "change"
  }
  !($1 in bound) {
    printf "%-26s %10.1f %10s           MISS: not recorded\n", $1, $2, "-"
    failed++
    next
  }
  {
    # A tenth of an instruction is the noise of starting.
    over = $2 > bound[$1] * 1.02 + 0.2
    printf "%-26s %10.1f %10.1f %+7.1f%%  %s\n", $1, $2, bound[$1], ($2 / bound[$1] - 1) * 100,
      !judged ? "not judged" : over ? "MISS" : ($2 < bound[$1] * 0.95 ? "ok, record it" : "ok")
    if (over) failed++; else passed++
    delete bound[$1]
  }
  END {
    for (name in bound) { printf "%-26s is recorded, but gone\n", name; failed++ }
    if (!judged) exit
    printf "%d passed, %d failed\n", passed, failed
    exit failed > 0
  }' "$table" "$results"
[[ $recorded == "$compiler" ]] ||
  echo "NOT JUDGED: the bounds are of $recorded, this is $compiler" \
    "(to record: make bench-gate RECORD=1)"
