#!/usr/bin/env bash
# Has spin search the models of this folder through: the protocol as it is has no fault, the rule of
# before has one, and so has the protocol with any of its steps broken. README.md says more.
#
#   model.sh           all of it
#   model.sh OPTION... one model (-DARM, -DEND, -DOLD_RULE, -DMUTANT=n), with the way to its fault
#
# A line a search. Status 1: one did not end as it should.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
export LC_ALL=C
build=../../.build/model
rm -rf "$build"
mkdir -p "$build"
build=$(cd "$build" && pwd)

die() {
  printf 'error: %s\n' "$*" >&2
  exit 1
}

# ---- The tools. Debian's package: root installs it, anybody else unpacks it.

find_spin() {
  local debs
  debs=$(cd ../../.build && pwd)/debs
  PATH=$PATH:$debs/root/usr/bin
  command -v spin >/dev/null && return
  echo "getting Debian packages: spin" >&2
  {
    if ((EUID == 0)); then
      apt-get update -qq && apt-get install -y -qq spin
    else
      mkdir -p "$debs/root" && cd "$debs" && apt-get download spin && dpkg-deb -x spin_*.deb root
    fi
  } >"$build/apt.log" 2>&1 </dev/null ||
    die "the package spin is missing, and cannot be had here (.build/model/apt.log): install it"
  hash -r
  command -v spin >/dev/null || die "there is no spin, though its package is there"
}
(find_spin)
PATH=$PATH:$(cd ../../.build && pwd)/debs/root/usr/bin
# The compiler that Swift brings: no other is needed.
clang=$(dirname "$(readlink -f "$(command -v swiftc)")")/clang

# ---- The searches.

# search FOLDER LEVEL OPTION...: makes the searcher of a model, optimised so far, and runs it.
search() {
  local here=$1 level=$2
  shift 2
  mkdir -p "$here"
  cp ./*.pml "$here/"
  cd "$here"
  spin -P"$clang -E -x c" -a "$@" caches.pml >said 2>&1 &&
    "$clang" "$level" -w -DSAFETY -DMEMLIM=4096 -o pan pan.c >>said 2>&1 ||
    { cat said; return 2; }
  ./pan -m10000 -w"$([[ $level == -O2 ]] && echo 22 || echo 18)" >found 2>&1
}

# judge EXPECTED NAME OPTION...: prints a line; EXPECTED is `none` or `fault`.
judge() {
  local expected=$1 name=$2 level=-O0
  shift 2
  [[ $expected == none ]] && level=-O2
  local here
  here=$build/$(tr -dc 'A-Z0-9a-z' <<<"x$*")
  (search "$here" "$level" "$@") || { echo "  FAILED: $name: spin does not run"; return; }
  awk -v name="$name" -v expected="$expected" '
    /^pan:1: (assertion violated|invalid end state)/ { what = $0; sub(/^pan:1: /, "", what) }
    /Search not completed|max search depth|out of memory/ { isCut = 1 }
    / states, stored/ { states = $1 }
    /errors: / { errors = $NF }
    END {
      isGood = expected == "none" ? errors == "0" && !isCut : errors > 0 && what != ""
      seen = errors == "0" ? "no fault in " states " states" : what
      printf "  %s%s: %s\n", isGood ? "" : "FAILED: ", name, seen
    }' "$here/found"
}

if (($# > 0)); then
  search "$build/one" -O2 "$@"
  cat "$build/one/found"
  [[ -e $build/one/caches.pml.trail ]] || exit 0
  cd "$build/one" && spin -P"$clang -E -x c" -t -p -g -l "$@" caches.pml
  exit 1
fi

# What is to be found, and where: fault or none, what it is, options.
table() {
  cat <<'END'
none|the protocol on ARM|-DARM
none|the protocol on x86|
none|the end of an arena on ARM|-DARM -DEND
none|the end of an arena on x86|-DEND
fault|a drain takes from any closed cache, on x86|-DOLD_RULE
fault|a drain takes from any closed cache, on ARM|-DOLD_RULE -DARM
fault|a drain takes from any closed cache beside the end|-DOLD_RULE -DEND
END
  local n options
  for n in {1..28}; do
    case $n in
      # What x86 keeps in order by itself, and one that is found sooner.
      4 | 6 | 14 | 21 | 12) options=-DARM ;;
      24 | 25 | 26 | 27) options=-DEND ;;
      *) options= ;;
    esac
    echo "fault|mutant $n${options:+ ($options)}|-DMUTANT=$n $options"
  done
}

# Two at a time; each leaves its line in a file, so that the order is the table's.
number=0 running=0
while IFS='|' read -r expected name options; do
  number=$((number + 1))
  # Options are words.
  # shellcheck disable=SC2086
  judge "$expected" "$name" $options >"$(printf '%s/line-%02d' "$build" "$number")" &
  running=$((running + 1))
  if ((running >= 2)); then
    wait -n || true
    running=$((running - 1))
  fi
done < <(table)
wait
cat "$build"/line-*
failed=$(cat "$build"/line-* | grep -c FAILED || true)
echo "$((number - failed)) passed, $failed failed"
((failed == 0))
