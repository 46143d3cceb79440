#!/usr/bin/env bash
# Libraries of others on our pages: builds each client's program with its recipe, checks contents,
# threads, fork, and that memory is back at the end; then measures it beside the library as it is by
# default.
#
#   clients.sh [CLIENT...]     jemalloc, sqlite, lua, mimalloc, zstd, preload; all, if none is named
#
# The figures are printed, one line each, and bound nothing: processor time (user and system), the
# peak of resident memory, and what is resident when all has been freed. Each is of the run with the
# least processor time out of ROUNDS (1), which take turns.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

here=Tests/Clients
programs=$PWD/.build/clients
library=.build/lib/embedded
rounds=${ROUNDS:-1}
mkdir -p "$programs"

# The environment says nothing to those libraries, but for what a check sets.
unset MALLOC_CONF LD_PRELOAD

passed=0 failed=0 left_out=()

# A line of the table: a client's way, and that as it comes.
say() { printf '  %-34s %s\n' "$1" "$2"; }

# build NAME SOURCES... LIBRARIES...: with the library's archive.
build() {
  local name=$1
  shift
  local root
  root=$(<.build/cross/clients.root)
  if gcc -std=c11 -D_GNU_SOURCE -O2 -Wall -Wextra -Wpedantic -Werror -Wno-unused-parameter \
    -pthread -rdynamic -I Sources/CPageAlloc/include -I $here/Recipes -isystem "$root/include" \
    "$here/Drivers/$name.c" "${@}" -L "$root/lib/x86_64-linux-gnu" \
    -Wl,-rpath,"$root/lib/x86_64-linux-gnu" -o "$programs/$name" >"$programs/$name.log" 2>&1 &&
    [[ ! -s $programs/$name.log ]]; then
    passed=$((passed + 1))
  else
    failed=$((failed + 1))
    echo "FAILED: $name does not compile without a word"
    cat "$programs/$name.log"
    return 1
  fi
}

# check NAME WORDS...: runs a program, and adds up what it says in its last line.
said=
check() {
  local status=0
  said=$(timeout 300 "$programs/$1" "${@:2}" 2>&1) || status=$?
  printf '%s\n' "$said" | grep -vE '^figures |^[0-9]+ passed, [0-9]+ failed$' |
    sed "s|^|$*: |" || true
  if [[ $said =~ ([0-9]+)\ passed,\ ([0-9]+)\ failed$ ]]; then
    passed=$((passed + BASH_REMATCH[1])) failed=$((failed + BASH_REMATCH[2]))
  else
    failed=$((failed + 1))
    echo "FAILED: $* ended with status $status"
  fi
}

# The best figures of a program's way, as: processor elapsed peak stays operations
declare -A best
# measure NAME WAY...: runs the ways in turn. `figures` comes last on each command line; a way may
# be followed by words of its own after a comma.
measure() {
  local name=$1 round way figures
  shift
  for ((round = 0; round < rounds; round++)); do
    for way; do
      # Several words, or one.
      # shellcheck disable=SC2086
      check "$name" ${way//,/ } figures
      figures=$(sed -n 's/^figures //p' <<<"$said")
      [[ -n $figures ]] || continue
      if [[ -z ${best[$name $way]:-} ]] ||
        awk -v a="${figures%% *}" -v b="${best[$name $way]%% *}" 'BEGIN { exit !(a < b) }'; then
        best[$name $way]=$figures
      fi
    done
  done
  local base=${best[$name $1]:-}
  for way; do
    if [[ -z ${best[$name $way]:-} || -z $base ]]; then
      failed=$((failed + 1))
      echo "FAILED: $name $way tells no figures"
      continue
    fi
    say "$name ${way%%,*}" "$(awk -v now="${best[$name $way]}" -v base="$base" 'BEGIN {
      split(now, n); split(base, b)
      printf "%6.2f s (%.2f), peak %6.1f MiB (%.2f), stays %6.1f MiB, %d operations",
        n[1], n[1] / b[1], n[3], n[3] / b[3], n[4], n[5] }')"
  done
}

# A recipe is short: lines that are neither blank nor a comment.
lines_of() {
  local file count
  for file; do
    count=$(sed -E 's|/\*.*\*/||; /^\/\*/,/\*\//d; /^\s*$/d' "$here/Recipes/$file" | wc -l)
    echo "  recipe $file: $count lines"
  done
}

client_jemalloc() {
  build jemalloc $here/Recipes/jemalloc.c $library/libpagealloc.a -ljemalloc || return 0
  check jemalloc pages
  check jemalloc avoid
  MALLOC_CONF=retain:true,dirty_decay_ms:10000 check jemalloc pages
  check jemalloc default
  measure jemalloc default pages avoid
  lines_of jemalloc.c
}

client_sqlite() {
  local base=$programs/base way
  build sqlite $here/Recipes/sqlite-{pcache,malloc}.c $library/libpagealloc.a -lsqlite3 || return 0
  for way in default pcache pagecache malloc all avoid; do check sqlite $way "$base"; done
  measure sqlite {default,pcache,pagecache,malloc,all,avoid},"$base"
  lines_of sqlite-pcache.c sqlite-pages.h sqlite-malloc.c
}

client_lua() {
  local way
  build lua $here/Recipes/lua.c $library/libpagealloc.a -llua5.4 || return 0
  for way in default pages avoid; do check lua $way; done
  measure lua default pages avoid
  lines_of lua.c blocks.h
}

client_mimalloc() {
  local way
  build mimalloc $here/Recipes/mimalloc.c $library/libpagealloc.a -lmimalloc || return 0
  for way in default pages avoid kept; do check mimalloc $way; done
  measure mimalloc default pages avoid kept
  lines_of mimalloc.c
}

client_zstd() {
  local way
  build zstd $here/Recipes/zstd.c $library/libpagealloc.a -lzstd || return 0
  for way in default pages avoid; do check zstd $way; done
  measure zstd default pages avoid
  lines_of zstd.c
}

# Programs that nobody changed: another script.
client_preload() {
  local line
  Tests/Clients/preload.sh >"$programs/preload.log" 2>&1 || true
  grep -vE '^  (0 left out|left out: .*)$|^[0-9]+ passed' "$programs/preload.log" || true
  while read -r line; do left_out+=("preload: $line"); done \
    < <(sed -n 's/^  left out: //p' "$programs/preload.log")
  line=$(tail -n 1 "$programs/preload.log")
  if [[ $line =~ ^([0-9]+)\ passed,\ ([0-9]+)\ failed$ ]]; then
    passed=$((passed + BASH_REMATCH[1])) failed=$((failed + BASH_REMATCH[2]))
  else
    failed=$((failed + 1))
  fi
}

if [[ ! -e $library/libpagealloc.a ||
  -n $(find Sources/{SysMem,PageAlloc,PageDoor,C*} -newer $library/libpagealloc.a -type f) ]]; then
  Sources/CPageAlloc/library.sh build embedded
fi
clients=("$@")
((${#clients[@]} > 0)) || clients=(jemalloc sqlite lua mimalloc zstd preload)
for client in "${clients[@]}"; do
  # What is preloaded is a client of jemalloc's.
  if why=$(Tests/Cross/provide.sh "client-${client/preload/jemalloc}" 2>&1); then
    "client_$client"
  else
    left_out+=("$client: ${why##*$'\n'}")
  fi
done
echo "  ${#left_out[@]} left out"
for line in "${left_out[@]}"; do echo "  left out: $line"; done
echo "$passed passed, $failed failed"
((failed == 0))
