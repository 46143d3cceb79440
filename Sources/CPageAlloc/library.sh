#!/usr/bin/env bash
# Builds libpagealloc, the library for C.
#
#   library.sh build TARGET                       into .build/lib/TARGET
#   library.sh fuzzer TARGET                      the archive, for libFuzzer, into
#                                                 .build/lib/TARGET-fuzzer
#   library.sh install TARGET PREFIX [DESTDIR]    builds it and puts it there
#
# TARGET: a row of Tests/Cross/targets.txt; `embedded` is x86_64.
#
#   libpagealloc.a          one object, for the linker of any C compiler
#   libpagealloc.so.VERSION needs the C library alone; with its two shorter names
#
# The sources of SysMem, PageAlloc and PageDoor are compiled as one module, as Embedded Swift, so
# that no Swift runtime is needed and nothing is there twice; only the lines that import one of
# them are left out. What comes of it is one object, which shows nothing but pa_*.
#
# Functions keep frame pointers, by which the checked mode finds who called.
#
# Swift's objects would come from malloc, and back-traces from libgcc_s: their names are redirected
# to functions of Sources/CPageAlloc.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
cross=Tests/Cross
header=Sources/CPageAlloc/include/pagealloc.h

command=$1
target=$2
triple=$(awk -v name="$target" '$1 == name { print $2 }' $cross/targets.txt)
if [[ -z $triple ]]; then
  echo "error: library.sh: no target '$target' in $cross/targets.txt" >&2
  exit 2
fi
version=$(sed -nE 's/^#define PA_VERSION_(MAJOR|MINOR|PATCH) ([0-9]+)$/\2/p' $header | paste -sd .)
soname=libpagealloc.so.${version%%.*}
out=.build/lib/$target
sanitizer=()
if [[ $command == fuzzer ]]; then
  out+=-fuzzer
  sanitizer=(-sanitize=fuzzer)
fi
# The toolchain's own tools, which know all targets; another llvm may stand first in the path.
bin=$(dirname "$(readlink -f "$(command -v swiftc)")")

# Prints the options of a tool in the target's toolset, one a line. The headers there are those of a
# system: what they define anew is none of ours.
options() {
  sed -n "s/.*\"$1\": { \"extraCLIOptions\": \[\(.*\)\] }.*/\1/p" ".build/cross/$target.json" |
    sed 's/, /\n/g' | tr -d '"' | sed 's|^-I\(/.*\)|-isystem\n-Xcc\n\1|'
}

redirected=(--redefine-sym malloc=pai_malloc --redefine-sym free=pai_free
  --redefine-sym posix_memalign=pai_posix_memalign)
unwinder=(--redefine-sym _Unwind_Backtrace=pai_unwind_backtrace
  --redefine-sym _Unwind_GetIP=pai_unwind_address)

swift_part() {
  local module file source=$out/source
  mkdir -p "$source"
  for module in SysMem PageAlloc PageDoor; do
    while read -r file; do
      sed -E '/^(@_exported )?(public |package )?import (struct )?(SysMem|PageAlloc)\b/d' \
        "$file" >"$source/$module-${file##*/}"
    done < <(find "Sources/$module" -name '*.swift')
  done
  swiftc -O -wmo -num-threads 0 -parse-as-library -swift-version 6 -module-name PageAlloc \
    -package-name pagealloc -enable-experimental-feature Lifetimes -Xfrontend -function-sections \
    -Xcc -fno-omit-frame-pointer "${sanitizer[@]}" \
    -target "$triple" "${swift[@]}" -I Sources/CSysMem -I Sources/CThreadSlots/include \
    -I Sources/CDiagnosis/include -I Sources/CPageAlloc/include -c -o "$out/swift.o" \
    "$source"/*.swift
  "$bin/llvm-objcopy" "${redirected[@]}" "${unwinder[@]}" "$out/swift.o"
}

c_part() {
  local file
  mkdir -p "$out/c"
  for file in Sources/{CThreadSlots,CDiagnosis,CPageAlloc}/*.c; do
    "$bin/clang" -std=gnu11 -O2 -fPIC -fno-omit-frame-pointer -fvisibility=hidden \
      -ffunction-sections -Wall -Wextra "${c[@]}" -I "${file%/*}/include" -c \
      -o "$out/c/$(basename "$file" .c).o" "$file"
  done
  # What the demangler of a Swift runtime gives is freed there: that is left alone.
  "$bin/llvm-objcopy" "${unwinder[@]}" --redefine-sym free=pai_free "$out/c/diagnosis.o"
}

build() {
  local swift c part
  "$cross/provide.sh" "$target"
  mapfile -t swift < <(options swiftCompiler)
  mapfile -t c < <(options cCompiler)
  rm -rf "$out"
  mkdir -p "$out"
  swift_part
  c_part
  # Sections stay apart, so that a linker can drop what a program does not use (--gc-sections).
  "$bin/ld.lld" -r --unique -o "$out/pagealloc.o" "$out/swift.o" "$out"/c/*.o
  "$bin/llvm-objcopy" --wildcard --keep-global-symbol='pa_*' --strip-debug "$out/pagealloc.o"
  "$bin/llvm-ar" rcs "$out/libpagealloc.a" "$out/pagealloc.o"
  if [[ $command != fuzzer ]]; then shared; fi
  for part in source c swift.o pagealloc.o; do rm -rf "${out:?}/$part"; done
}

# Where the linker would have to leave text relocations, there is the archive alone.
shared() {
  local script=$out/exports links=() word previous=
  # What the linker is told by way of the Swift compiler, but that everything is to be static.
  for word in "${swift[@]}"; do
    if [[ $previous == -Xclang-linker && $word != -static ]]; then links+=("$word"); fi
    previous=$word
  done
  printf 'PAGEALLOC_%s { global: pa_*; local: *; };\n' "${version%%.*}" >"$script"
  if "$bin/clang" "${links[@]}" -shared -fuse-ld=lld -o "$out/libpagealloc.so.$version" \
    "$out/pagealloc.o" -static-libgcc -Wl,-soname,"$soname" -Wl,--version-script="$script" \
    -Wl,--gc-sections -Wl,--as-needed -Wl,-z,defs -Wl,-z,text -Wl,-z,relro -Wl,-z,now \
    -Wl,-z,noexecstack 2>"$out/shared.log"; then
    ln -sf "libpagealloc.so.$version" "$out/$soname"
    ln -sf "$soname" "$out/libpagealloc.so"
    rm -f "$out/shared.log"
  else
    echo "libpagealloc for $target: the archive alone: $(grep -m 1 error: "$out/shared.log")"
  fi
  rm -f "$script"
}

install_files() {
  local prefix=$1 root=${2:-}$1
  install -d "$root/lib/pkgconfig" "$root/include"
  install -m 644 $header "$root/include/pagealloc.h"
  install -m 644 "$out/libpagealloc.a" "$root/lib/"
  if [[ -e $out/libpagealloc.so.$version ]]; then
    install -m 755 "$out/libpagealloc.so.$version" "$root/lib/"
    ln -sf "libpagealloc.so.$version" "$root/lib/$soname"
    ln -sf "$soname" "$root/lib/libpagealloc.so"
  fi
  sed "s|@prefix@|$prefix|; s|@version@|$version|" Sources/CPageAlloc/pagealloc.pc.in \
    >"$root/lib/pkgconfig/pagealloc.pc"
}

case $command in
  build | fuzzer) build ;;
  install)
    build
    install_files "$3" "${4:-}"
    ;;
  *)
    echo "error: library.sh: unknown command '$command'" >&2
    exit 2
    ;;
esac
