#!/usr/bin/env bash
# Programs that nobody changed, with jemalloc on our pages put beneath them by LD_PRELOAD: each says
# what it says by itself; processor time and peak beside the C library, jemalloc, mimalloc and
# tcmalloc. Needs the library's archive, which clients.sh builds.
#
#   preload.sh
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
here=Tests/Clients
programs=$PWD/.build/clients
work=$programs/preload
library=.build/lib/embedded/libpagealloc.a
rm -rf "$work"
mkdir -p "$work"

passed=0 failed=0 left_out=0
leave_out() {
  echo "  left out: $1"
  left_out=$((left_out + 1))
}

build() {
  local root
  root=$(<.build/cross/clients.root)
  gcc -std=c11 -D_GNU_SOURCE -O2 -Wall -Wextra -Wpedantic -Werror -Wno-unused-parameter -fPIC \
    -fvisibility=hidden -shared -pthread -I Sources/CPageAlloc/include -I $here/Recipes \
    -isystem "$root/include" $here/preload.c $here/Recipes/jemalloc.c $library \
    -Wl,-z,initfirst -Wl,--exclude-libs,ALL -o "$programs/libpagealloc-jemalloc.so"
  gcc -std=c11 -D_GNU_SOURCE -O2 -Wall -Wextra -Werror $here/Programs/run.c -o "$programs/run"
}

# What is preloaded for an allocator; nothing for the C library's.
beneath() {
  case $1 in
    glibc) ;;
    pages | avoid) echo "$programs/libpagealloc-jemalloc.so:$(<.build/cross/peers/jemalloc)" ;;
    *) cat ".build/cross/peers/$1" ;;
  esac
}

# ---- What each program is to do; it prints what must be the same with every allocator.

run_python3() { "$@" /usr/bin/python3 $here/Programs/work.py; }
run_gcc() { "$@" gcc -O2 -S -o - -I Sources/CPageAlloc/include Tests/CDoor/door.c | sha256sum; }
run_sqlite3() { "$@" sqlite3 -batch :memory: <$here/Programs/work.sql; }

# A server of its own: keys of several sizes, a copy saved by a child, deletions, more keys.
run_redis() {
  local socket=$work/redis.socket server
  rm -f "$socket" "$work/dump.rdb"
  "$@" redis-server --port 0 --unixsocket "$socket" --save "" --appendonly no --dir "$work" \
    --enable-debug-command yes --loglevel warning >"$work/redis.log" 2>&1 &
  server=$!
  for _ in {1..100}; do
    [[ -S $socket ]] && break
    sleep 0.1
  done
  local ask=(timeout 60 redis-cli -s "$socket")
  awk 'BEGIN { for (i = 0; i < 100000; i++) printf "SET k%d %0*d\r\nLPUSH l%d %d\r\n", i,
    8 + i * 37 % 700, i, i % 500, i }' | "${ask[@]}" --pipe | tail -n 1
  "${ask[@]}" save
  "${ask[@]}" bgsave >/dev/null
  for _ in {1..100}; do
    [[ $("${ask[@]}" info persistence) == *rdb_bgsave_in_progress:0* ]] && break
    sleep 0.1
  done
  "${ask[@]}" info persistence | grep -o 'rdb_last_bgsave_status:[a-z]*'
  awk 'BEGIN { for (i = 0; i < 100000; i += 2) printf "DEL k%d\r\n", i
    for (i = 0; i < 50000; i++) printf "APPEND k%d %0*d\r\n", i * 2 + 1, 50 + i % 90, i }' |
    "${ask[@]}" --pipe | tail -n 1
  "${ask[@]}" debug digest
  "${ask[@]}" debug reload
  "${ask[@]}" debug digest
  "${ask[@]}" shutdown nosave
  wait $server
}

# Whether a program is there, and runs.
is_there() {
  case $1 in
    redis) redis-server --version >/dev/null 2>&1 ;;
    python3) /usr/bin/python3 --version >/dev/null 2>&1 ;;
    *) "$1" --version >/dev/null 2>&1 ;;
  esac
}

# try PROGRAM ALLOCATOR: what it says is in $work/PROGRAM.ALLOCATOR, its figures beside.
try() {
  local preload status=0 tells='^pagealloc: [0-9]+ KiB ready$' errors=$work/$1.$2.err
  preload=$(beneath "$2")
  "run_$1" timeout 120 "$programs/run" "$work/$1.$2.figures" \
    env ${preload:+"LD_PRELOAD=$preload"} PAGEALLOC_TELL=1 "PAGEALLOC_HUGE_PAGES=$2" \
    >"$work/$1.$2" 2>"$errors" || status=$?
  # The server's log has much else.
  if [[ $1 == redis ]]; then grep -E "$tells" "$work/redis.log" >>"$errors" || true; fi
  if ((status != 0)) || grep -qvE "$tells" "$errors"; then
    failed=$((failed + 1))
    echo "FAILED: $1 with $2 ended with status $status: $(head -n 3 "$errors")"
  elif [[ $preload == *libpagealloc* ]] && ! grep -qE "$tells" "$errors"; then
    failed=$((failed + 1))
    echo "FAILED: $1 with $2 did not use our pages"
  else
    passed=$((passed + 1))
  fi
}

build
allocators=(glibc)
for peer in jemalloc mimalloc tcmalloc; do
  if why=$(Tests/Cross/provide.sh $peer 2>&1); then
    allocators+=("$peer")
  else
    leave_out "$peer: ${why##*$'\n'}"
  fi
done
allocators+=(pages avoid)
# Where provide.sh puts what a program is called that goes by another name in Debian's package.
PATH=$PWD/.build/cross/programs:$PATH
for program in python3 gcc sqlite3 redis; do
  if ! is_there $program && ! why=$(Tests/Cross/provide.sh program-$program 2>&1); then
    leave_out "$program: ${why##*$'\n'}"
    continue
  fi
  if ! is_there $program; then
    leave_out "$program does not run here"
    continue
  fi
  line="  $program:"
  for allocator in "${allocators[@]}"; do
    # Debian's server is linked with jemalloc: without anything beneath, that is what it has.
    if [[ $program == redis && $allocator == jemalloc ]]; then continue; fi
    try $program "$allocator"
    name=$allocator
    if [[ $program == redis && $allocator == glibc ]]; then name=jemalloc; fi
    line+=$(awk -v name="$name" '{ printf " %s %.2f s %.0f MiB,", name, $1, $2 }' \
      "$work/$program.$allocator.figures")
    if cmp -s "$work/$program.glibc" "$work/$program.$allocator"; then
      passed=$((passed + 1))
    else
      failed=$((failed + 1))
      echo "FAILED: $program says something else with $allocator than with glibc"
    fi
  done
  echo "${line%,}"
done
echo "  $left_out left out"
echo "$passed passed, $failed failed"
((failed == 0))
