#!/usr/bin/env bash
# Sees to it that what a build needs is there. Prints nothing when it is.
#
#   provide.sh NEED...        NEED: zlib; a target of Tests/Cross/targets.txt; for the benchmarks
#                             jemalloc, mimalloc, tcmalloc, valgrind; for films chromium;
#                             for Tests/Clients client-jemalloc, -mimalloc, -sqlite, -lua, -zstd,
#                             program-python3, -gcc, -sqlite3, -redis
#
# Swift, and what it links with, is looked for whatever the need.
#
# What is missing comes from Debian packages: root installs them with apt-get; anybody else gets
# them unpacked under .build/debs, without touching the system. When neither works, one line says
# what to install, and the status is 1.
#
# What was found is left in .build/cross, for the Makefile and crosscheck.sh:
#   zlib.flags     options for `swift build`, one a line (none when zlib is the system's)
#   TARGET.json    the SwiftPM toolset of a target
#   TARGET.runner  the program that runs the target's; empty when the kernel does it itself
#   peers/NAME     the path of an allocator's shared library (jemalloc, mimalloc, tcmalloc)
#   clients.root   where the libraries of Tests/Clients are, unless they are the system's
#   valgrind       the program; in a second line where its parts are, unless it finds them itself
#   provide.log    what apt-get and dpkg-deb said
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
export LC_ALL=C

found=$PWD/.build/cross
debs=$PWD/.build/debs
unpacked=$debs/root
log=$found/provide.log
table=Tests/Cross/targets.txt
mkdir -p "$found"

die() {
  printf 'error: %s\n' "$*" >&2
  exit 1
}

# True if a file matches one of the patterns (which arrive expanded, or not at all).
exists() {
  local file
  for file; do [[ -e $file ]] && return 0; done
  return 1
}

# Writes standard input to a file, unless that is what the file holds.
keep() {
  local text
  text=$(cat)
  [[ -e $1 && $(<"$1") == "$text" ]] || printf '%s' "${text:+$text
}" >"$1"
}

# ---- Swift itself: no package, it comes from swift.org.

check_swift() {
  local version
  version=$(swift --version 2>/dev/null |
    sed -nE 's/.*Swift version ([0-9]+\.[0-9]+).*/\1/p') || true
  [[ -n $version ]] ||
    die "Swift is not installed: get version 6.3 or later from https://www.swift.org/install/linux"
  [[ $(printf '6.3\n%s\n' "$version" | sort -V | head -n 1) == 6.3 ]] ||
    die "Swift $version is too old: get 6.3 or later from https://www.swift.org/install/linux"
}

# ---- The table of targets

# Sets the caller's `triple gnu debian runner flags` to what the table says of target $1. Fails
# where it has no such row.
read_target() {
  local name
  while read -r name triple gnu debian runner flags; do
    [[ $name == "$1" ]] && return 0
  done <"$table"
  return 1
}

# The rows, without what is told about them.
rows() { grep -v '^#' "$table"; }

# ---- What each need consists of: `missing_NEED`, or for all targets `missing_target NAME`, prints
# the packages that are not there.

# Prints the root (empty: the system's) below which a cross toolchain for $1 is complete.
cross_root() {
  local root
  for root in "" "$unpacked"; do
    exists "$root/usr/$1/lib/libc.a" && exists "$root/usr/$1/include/stdio.h" &&
      exists "$root/usr/$1/include/asm/unistd.h" &&
      exists "$root/usr/lib/gcc-cross/$1"/*/libgcc_eh.a && printf '%s' "$root" && return 0
  done
  return 1
}

# Prints the emulator named $1 (qemu-arm), wherever it is.
emulator() {
  local program
  for program in "$1" "$1-static" "$unpacked/usr/bin/$1" "$unpacked/usr/bin/$1-static"; do
    "$program" --version >/dev/null 2>&1 && command -v "$program" && return 0
  done
  return 1
}

# Whether the kernel runs i386 programs: a static one of 93 bytes that calls exit(0).
kernel_runs_i386() {
  local probe=$found/ia32-probe
  {
    printf '\177ELF\1\1\1\0\0\0\0\0\0\0\0\0\2\0\3\0\1\0\0\0\124\200\4\10\64\0\0\0'
    printf '\0\0\0\0\0\0\0\0\64\0\40\0\1\0\0\0\0\0\0\0'
    printf '\1\0\0\0\0\0\0\0\0\200\4\10\0\200\4\10\135\0\0\0\135\0\0\0\5\0\0\0\0\20\0\0'
    printf '\270\1\0\0\0\61\333\315\200' # mov $1,%eax; xor %ebx,%ebx; int $0x80
  } >"$probe"
  chmod +x "$probe"
  "$probe" 2>/dev/null
}

# Prints what runs a target's programs: the first of the runners $1 that can; for the kernel,
# nothing.
runner_of() {
  local runner
  for runner in ${1//,/ }; do
    case $runner in
      kernel) return 0 ;;
      ia32) kernel_runs_i386 && return 0 ;;
      *) emulator "$runner" && return 0 ;;
    esac
  done
  return 1
}

# What Swift links with, and git for SwiftPM. A cross build needs them too: for the manifest.
missing_host() {
  command -v git >/dev/null || echo git
  command -v ld.gold >/dev/null || command -v ld >/dev/null || echo binutils
  exists /usr/include/stdio.h || echo libc6-dev
  exists /usr/lib/gcc/*/*/libstdc++.so || echo 'libstdc++-N-dev'
}

system_zlib() {
  exists /usr/include/zlib.h && exists /usr/lib/*/libz.{so,a} /usr/lib{,64}/libz.{so,a}
}

missing_zlib() {
  system_zlib || exists "$unpacked"/usr/lib/*/libz.a || echo zlib1g-dev
}

missing_target() {
  local triple gnu debian runner flags
  read_target "$1"
  [[ $gnu == - ]] || cross_root "$gnu" >/dev/null ||
    echo "libc6-dev-$debian-cross linux-libc-dev-$debian-cross libgcc-N-dev-$debian-cross"
  runner_of "$runner" >/dev/null || echo qemu-user
}

# The rivals of the benchmarks. Prints the path of a shared library by the start of its file name.
peer_library() {
  local file
  for file in {/usr,"$unpacked/usr"}/lib/*/"lib$1".so.*; do
    [[ -e $file ]] && printf '%s' "$file" && return 0
  done
  return 1
}

missing_jemalloc() { peer_library jemalloc >/dev/null || echo libjemalloc2; }
missing_mimalloc() { peer_library mimalloc >/dev/null || echo libmimalloc2.0; }
missing_tcmalloc() { peer_library tcmalloc_minimal >/dev/null || echo libtcmalloc-minimal4; }

missing_valgrind() {
  command -v valgrind >/dev/null || exists "$unpacked/usr/bin/valgrind" || echo valgrind
}

missing_chromium() {
  command -v chromium >/dev/null || command -v chromium-browser >/dev/null ||
    command -v google-chrome >/dev/null || echo chromium
}

# The libraries of Tests/Clients, each by its header; without an archive, the shared library, too.
client_header() { exists {,"$unpacked"}"/usr/include/$1"; }
missing_client-jemalloc() {
  client_header jemalloc/jemalloc.h || echo libjemalloc-dev libjemalloc2
}
missing_client-mimalloc() { client_header mimalloc.h || echo libmimalloc-dev libmimalloc2.0; }
missing_client-sqlite() { client_header sqlite3.h || echo libsqlite3-dev libsqlite3-0; }
missing_client-lua() { client_header lua5.4/lua.h || echo liblua5.4-dev liblua5.4-0; }
missing_client-zstd() { client_header zstd.h || echo libzstd-dev libzstd1; }
write_client-jemalloc() { printf '%s' "$unpacked/usr" | keep "$found/clients.root"; }
write_client-mimalloc() { write_client-jemalloc; }
write_client-sqlite() { write_client-jemalloc; }
write_client-lua() { write_client-jemalloc; }
write_client-zstd() { write_client-jemalloc; }

# Prints where a program is: the system's, or the one that was unpacked.
program() {
  command -v "$1" || { [[ -x $unpacked/usr/bin/$1 ]] && echo "$unpacked/usr/bin/$1"; }
}

# The programs beneath which Tests/Clients puts an allocator.
missing_program-python3() { exists /usr/bin/python3 || echo python3; }
missing_program-gcc() { command -v gcc >/dev/null || echo gcc; }
missing_program-sqlite3() { command -v sqlite3 >/dev/null || echo sqlite3; }
# Debian's server is a program of redis-tools, which does what it is called: redis-check-rdb.
missing_program-redis() {
  { program redis-cli && program redis-check-rdb; } >/dev/null || echo redis-tools
}
write_program-python3() { :; }
write_program-gcc() { :; }
write_program-sqlite3() { :; }
write_program-redis() {
  mkdir -p "$found/programs"
  ln -sfn "$(program redis-check-rdb)" "$found/programs/redis-server"
  ln -sfn "$(program redis-cli)" "$found/programs/redis-cli"
}

# Calls `$1_NEED`, or for a target `$1_target NAME`.
per_need() {
  local triple gnu debian runner flags
  if read_target "$2"; then "$1_target" "$2"; else "$1_$2"; fi
}

missing() {
  local need
  for need in host "${needs[@]}"; do per_need missing "$need"; done | tr ' ' '\n' | sort -u
}

# ---- Getting packages

apt_options=()

# Gives the packages named on standard input their release's number: libgcc-N-dev: libgcc-12-dev.
numbered() {
  local name newest pattern
  while read -r name; do
    if [[ $name == *-N-* ]]; then
      pattern=${name//+/\\+}
      newest=$(apt-cache "${apt_options[@]}" pkgnames "${name%%N-*}" |
        grep -xE "${pattern/-N-/-[0-9]+-}" | sort -V | tail -n 1 || true)
      name=${newest:-$name}
    fi
    printf '%s\n' "$name"
  done
}

# What is missing, for a reader: packages without a number that bring the numbered ones.
named() {
  local compilers
  compilers=$(rows | awk '$4 != "-" { print "s/^libgcc-N-dev-" $4 "-cross$/gcc-" $3 "/" }')
  missing | sed "$compilers"'
    s/^libstdc++-N-dev$/g++/' | paste -sd ' '
}

install_packages() {
  local names
  mapfile -t names < <(missing | numbered)
  DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=300 install -y -qq \
    --no-install-recommends "${names[@]}"
}

# The statically linked qemu needs no other package; where it is gone, qemu-user itself is static.
unpack_packages() {
  local name archive program
  mkdir -p "$debs/archives"
  missing | grep -vxE 'git|binutils|libc6-dev|libstdc.*' | numbered >"$debs/names"
  while read -r name; do
    (
      cd "$debs/archives"
      if [[ $name == qemu-user ]]; then
        apt-get "${apt_options[@]}" download qemu-user-static ||
          apt-get "${apt_options[@]}" download qemu-user
      else
        apt-get "${apt_options[@]}" download "$name"
      fi
    ) || return 1
  done <"$debs/names"
  for archive in "$debs"/archives/*.deb; do
    dpkg-deb -x "$archive" "$unpacked" && rm "$archive" || return 1
  done
  # It points at a library that was not unpacked; libz.a serves.
  rm -f "$unpacked"/usr/lib/*/libz.so
  # The machines that qemu knows and no target is: 300 MB.
  for program in "$unpacked"/usr/bin/qemu-*; do
    rows | grep -qwF -e "$(basename "$program" -static)" || rm -f "$program"
  done
}

# Lists of packages that only this project uses: the system's may be old, or absent.
use_own_lists() {
  mkdir -p "$debs/lists/partial" "$debs/cache/archives/partial"
  apt_options=(-o "Dir::State::Lists=$debs/lists" -o "Dir::Cache=$debs/cache")
  apt-get "${apt_options[@]}" update -q
}

all_there() { [[ -z $(missing) ]]; }

provide_packages() {
  command -v apt-get >/dev/null || return 1
  if [[ $(id -u) == 0 ]]; then
    install_packages && all_there && return 0
    apt-get update -q
    install_packages && all_there && return 0
  fi
  command -v dpkg-deb >/dev/null || return 1
  unpack_packages && all_there && return 0
  use_own_lists
  unpack_packages && all_there
}

# ---- Writing down what was found

write_zlib() {
  if system_zlib; then
    : | keep "$found/zlib.flags"
  else
    printf '%s\n' -Xcc "-I$unpacked/usr/include" -Xlinker \
      "-L$(dirname "$(echo "$unpacked"/usr/lib/*/libz.a)")" | keep "$found/zlib.flags"
  fi
}

# Prints its arguments as the elements of a JSON list.
json() {
  local list
  printf -v list '"%s", ' "$@"
  printf '[%s]' "${list%, }"
}

# Swift compiles for the bare processor, and the C library is joined with that: its headers, and a
# static link by clang and lld.
write_target() {
  local triple gnu debian runner flags root
  read_target "$1"
  local swift=(-enable-experimental-feature Embedded -wmo) c=()
  # Several words, or none.
  # shellcheck disable=SC2206
  swift+=($flags)
  if [[ $gnu != - ]]; then
    root=$(cross_root "$gnu")
    swift+=(-Xcc -D__linux__ -Xcc -fPIC -Xcc "-I$root/usr/$gnu/include")
    swift+=(-Xclang-linker "--target=$gnu" -Xclang-linker "--gcc-toolchain=$root/usr")
    swift+=(-Xclang-linker -static -use-ld=lld)
    c=("--target=$gnu" -isystem "$root/usr/$gnu/include")
    # Not a word of C's says so: Sources/CThreadSlots/embedded.c.
    c+=(-DPAGEALLOC_EMBEDDED)
  fi
  {
    printf '{ "schemaVersion": "1.0"'
    printf ',\n  "swiftCompiler": { "extraCLIOptions": %s }' "$(json "${swift[@]}")"
    # SwiftPM refuses a tool without options.
    ((${#c[@]} == 0)) || printf ',\n  "cCompiler": { "extraCLIOptions": %s }' "$(json "${c[@]}")"
    printf ' }\n'
  } | keep "$found/$1.json"
  runner_of "$runner" | keep "$found/$1.runner"
}

write_peer() {
  mkdir -p "$found/peers"
  peer_library "$2" | keep "$found/peers/$1"
}

write_jemalloc() { write_peer jemalloc jemalloc; }
write_mimalloc() { write_peer mimalloc mimalloc; }
write_tcmalloc() { write_peer tcmalloc tcmalloc_minimal; }

write_valgrind() {
  if command -v valgrind; then
    :
  else
    printf '%s\n%s\n' "$unpacked/usr/bin/valgrind" "$unpacked/usr/libexec/valgrind"
  fi | keep "$found/valgrind"
}

write_chromium() { :; }

# ----

needs=("$@")
for need in "${needs[@]}"; do
  read_target "$need" || declare -F "missing_$need" >/dev/null ||
    die "provide.sh: unknown need '$need'"
done
check_swift

exec 9>"$found/lock"
command -v flock >/dev/null && flock 9
if ! all_there; then
  echo "getting Debian packages: $(named)" >&2
  provide_packages >"$log" 2>&1 9>&- || {
    die "missing Debian packages; as root: apt-get install $(named)" \
      "(details: .build/cross/provide.log)"
  }
fi
for need in "${needs[@]}"; do per_need write "$need"; done
