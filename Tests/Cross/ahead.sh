#!/usr/bin/env bash
# Does the work of the last gates while others run: most of it is one compiler's, or one program's,
# on one processor.
#
#   ahead.sh do WHAT...          WHAT: a row of Tests/Cross/targets.txt, which is built and tested;
#                                or `hotpath`, which `make bench-gate` runs, and is built. Prints
#                                nothing.
#   ahead.sh finish TARGET...    tests those that nobody has begun with, the last one first; waits
#                                for the others; prints in order what was said. Status 1: one failed
#
# Both mark what they begin with, in .build/ahead, which is empty before. `do` ends, and what it
# started with it, when it is asked to (SIGTERM).
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
folder=.build/ahead
mkdir -p "$folder"

# Succeeds for whoever comes first.
begin() { mkdir "$folder/$1" 2>/dev/null; }

# Leaves what was said in a file, and then the status in another.
work() {
  local status=0
  case $1 in
    hotpath) Benchmarks/build.sh hotpath ;;
    *) Tests/Cross/crosscheck.sh "$1" test ;;
  esac >"$folder/$1/log" 2>&1 </dev/null || status=$?
  echo "$status" >"$folder/$1/part"
  mv "$folder/$1/part" "$folder/$1/status"
}

command=$1
shift
case $command in
  do)
    echo $$ >"$folder/worker"
    # Each is a group of processes of its own.
    set -m
    for what; do
      begin "$what" || continue
      work "$what" &
      trap 'kill -- -$! 2>/dev/null; exit' TERM
      wait $!
    done
    ;;
  finish)
    for ((i = $#; i > 0; i--)); do
      begin "${!i}" && work "${!i}"
    done
    for target; do
      echo "== $target"
      while [[ ! -e $folder/$target/status ]] && kill -0 "$(<"$folder/worker")"; do
        sleep 1
      done 2>/dev/null
      # Whoever had begun with it has ended.
      [[ -e $folder/$target/status ]] || work "$target"
      cat "$folder/$target/log"
      [[ $(<"$folder/$target/status") == 0 ]] || exit 1
    done
    ;;
esac
