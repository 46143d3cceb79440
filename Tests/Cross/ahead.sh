#!/usr/bin/env bash
# Does the work of the last gates while others run: most of it is one compiler's, or one program's,
# on one processor.
#
#   ahead.sh do WHAT...      WHAT: a row of Tests/Cross/targets.txt, which is built and tested; or
#                            `hotpath`, which `make bench-gate` runs, and is built. Prints nothing.
#   ahead.sh await TARGET    waits for the tests of a target, prints what they said, and ends with
#                            their status; runs them where nobody does so ahead
#
# `do` ends, and what it started with it, when it is asked to (SIGTERM).
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
folder=.build/ahead

# Leaves what was said in a file, and then the status in another.
work() {
  local status=0
  case $1 in
    hotpath) Benchmarks/build.sh hotpath ;;
    *) Tests/Cross/crosscheck.sh "$1" test ;;
  esac >"$folder/$1.log" 2>&1 </dev/null || status=$?
  echo "$status" >"$folder/$1.part"
  mv "$folder/$1.part" "$folder/$1.status"
}

case $1 in
  do)
    shift
    rm -rf "$folder"
    mkdir -p "$folder"
    echo $$ >"$folder/worker"
    # Each is a group of processes of its own.
    set -m
    for what; do
      work "$what" &
      trap 'kill -- -$! 2>/dev/null; exit' TERM
      wait $!
    done
    ;;
  await)
    while [[ ! -e $folder/$2.status ]] && kill -0 "$(<"$folder/worker")"; do sleep 1; done 2>/dev/null
    [[ -e $folder/$2.status ]] || exec Tests/Cross/crosscheck.sh "$2" test
    cat "$folder/$2.log"
    exit "$(<"$folder/$2.status")"
    ;;
esac
