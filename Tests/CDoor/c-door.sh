#!/usr/bin/env bash
# The door for C: builds libpagealloc for a target, and a program of C that uses every call.
#
#   c-door.sh TARGET          builds, looks at what came of it, and runs
#   c-door.sh TARGET build    builds and looks only
#   c-door.sh TARGET pair     measures what a pair of calls takes
#
# TARGET: a row of Tests/Cross/targets.txt. On this machine's own, the programs are those of gcc and
# g++, linked with the archive and with the shared library; else of clang, linked with the archive
# and all else that they need, so that an emulator finds nothing missing.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

target=$1
mode=${2:-test}
here=.build/lib/$target
programs=.build/c-door/$target
bin=$(dirname "$(readlink -f "$(command -v swiftc)")")
gnu=$(awk -v name="$target" '$1 == name { print $3 }' Tests/Cross/targets.txt)
warnings=(-O2 -Wall -Wextra -Wpedantic -Werror -I Sources/CPageAlloc/include)

Sources/CPageAlloc/library.sh build "$target"
mkdir -p "$programs"

passed=0 failed=0
# verdict NAME COMMAND...: whether the command succeeds without a word.
verdict() {
  local name=$1 said
  shift
  if said=$("$@" 2>&1) && [[ -z $said ]]; then
    passed=$((passed + 1))
  else
    failed=$((failed + 1))
    printf 'FAILED: %s\n%s\n' "$name" "$said"
  fi
}

# Adds up what a program says in its last line.
run() {
  local name=$1 said status=0
  shift
  said=$(timeout "${seconds:-300}" "$@" 2>&1) || status=$?
  printf '%s\n' "$said" | grep -vE '^[0-9]+ passed, [0-9]+ failed$' | sed "s|^|$name: |" || true
  if [[ $said =~ ([0-9]+)\ passed,\ ([0-9]+)\ failed$ ]]; then
    passed=$((passed + BASH_REMATCH[1])) failed=$((failed + BASH_REMATCH[2]))
  else
    failed=$((failed + 1))
    echo "FAILED: $name ended with status $status"
  fi
}

# The functions that the header declares.
declared() {
  grep -oE '\bpa_[a-z_]+\(' Sources/CPageAlloc/include/pagealloc.h | tr -d '(' | sort -u
}

# What the header declares and what a library shows are the same.
same_names() {
  diff <(declared) \
    <("$bin/llvm-nm" "$@" | awk 'NF == 3 { sub(/@.*/, "", $3); print $3 }' | sort -u)
}

no_malloc() {
  "$bin/llvm-nm" -u "$here/libpagealloc.a" |
    grep -E ' (malloc|calloc|realloc|free|posix_memalign|aligned_alloc|memalign)$' && return 1
  return 0
}

# The C library, of which the loader is a part.
libc_alone() {
  readelf -d "$here/libpagealloc.so" | grep NEEDED | grep -vE '\[(libc\.so|ld-linux)'
  readelf -d "$here/libpagealloc.so" | grep TEXTREL
  return 0
}

# The calls that refusals.c refuses, or counts: the linker gives it those of the archive.
wrapped=()
for call in mmap munmap mprotect madvise mincore pipe2 pthread_create pthread_key_create open read \
  ioctl syscall; do
  wrapped+=("-Wl,--wrap=$call")
done

# The rows of sweep.c, of the header as it is.
Tests/CDoor/sweep-rows.sh Sources/CPageAlloc/include/pagealloc.h >"$programs/sweep-rows.h"
# Every function of the header, each in one row.
rows_are_all() {
  diff <(declared) <(sed -nE 's/^  ROW\((pa_[a-z_]+).*/\1/p' "$programs/sweep-rows.h" | sort)
}

compile() {
  verdict "$target: $1" "${compiler[@]}" "${@:2}"
}

verdict "$target: the names of the archive" same_names -g --defined-only "$here/libpagealloc.a"
verdict "$target: the rows of the sweep" rows_are_all
verdict "$target: no call of malloc" no_malloc
if [[ -e $here/libpagealloc.so ]]; then
  verdict "$target: the names of the library" same_names -D --defined-only "$here/libpagealloc.so"
  verdict "$target: what the library needs" libc_alone
fi

if [[ $gnu == - ]]; then
  compiler=(gcc -std=c11 "${warnings[@]}" -pthread)
  shared=(-L "$here" -lpagealloc "-Wl,-rpath,$PWD/$here")
  for part in door pair; do
    compile "$part, archive" Tests/CDoor/$part.c "$here/libpagealloc.a" -o "$programs/$part"
    compile "$part, library" Tests/CDoor/$part.c "${shared[@]}" -o "$programs/$part-shared"
  done
  compile "refusals" Tests/CDoor/refusals.c "$here/libpagealloc.a" "${wrapped[@]}" \
    -o "$programs/refusals"
  compile "fuzz" Tests/CDoor/fuzz.c "$here/libpagealloc.a" -o "$programs/fuzz"
  compile "sweep" -I "$programs" Tests/CDoor/sweep.c "$here/libpagealloc.a" -o "$programs/sweep"
  compiler=(g++ -std=c++17 "${warnings[@]}")
  compile "C++" Tests/CDoor/door.cc "$here/libpagealloc.a" -o "$programs/door-cc"
  needed() { ldd "$programs/door" | grep -vE 'linux-vdso|ld-linux|libc\.so' || true; }
  verdict "$target: what a program needs" needed
else
  mapfile -t links < <(sed -n 's/.*"swiftCompiler": { "extraCLIOptions": \[\(.*\)\] }.*/\1/p' \
    ".build/cross/$target.json" | sed 's/, /\n/g' | tr -d '"' |
    awk 'last == "-Xclang-linker" { print } { last = $0 }')
  mapfile -t includes < <(sed -n 's/.*"cCompiler": { "extraCLIOptions": \[\(.*\)\] }.*/\1/p' \
    ".build/cross/$target.json" | sed 's/, /\n/g' | tr -d '"')
  compiler=("$bin/clang" -std=c11 "${warnings[@]}" "${includes[@]}" "${links[@]}" -fuse-ld=lld)
  compile "door, archive" Tests/CDoor/door.c "$here/libpagealloc.a" -o "$programs/door"
  compile "refusals" Tests/CDoor/refusals.c "$here/libpagealloc.a" "${wrapped[@]}" \
    -o "$programs/refusals"
  compile "fuzz" Tests/CDoor/fuzz.c "$here/libpagealloc.a" -o "$programs/fuzz"
  compile "sweep" -I "$programs" Tests/CDoor/sweep.c "$here/libpagealloc.a" -o "$programs/sweep"
fi

case $mode in
  test)
    runner=$(<".build/cross/$target.runner")
    # qemu keeps something of each page that there ever was: 24 GiB for these, if it may go on to
    # new addresses.
    if [[ $runner == *qemu-aarch64* ]]; then export QEMU_RESERVED_VA=0x8000000000; fi
    if [[ $runner == *qemu* ]]; then seconds=900; fi
    for program in "$programs"/{door*,refusals,sweep}; do
      run "${program##*/}" ${runner:+"$runner"} "$program" ${runner:+emulated}
    done
    run fuzz ${runner:+"$runner"} "$programs/fuzz" ${runner:+emulated} Tests/Corpus/door/*
    ;;
  pair) for program in "$programs"/pair*; do "$program"; done ;;
esac
echo "$passed passed, $failed failed"
((failed == 0))
