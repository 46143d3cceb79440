#!/usr/bin/env bash
# Arenas that keep the limit of a control group are told so, and never killed: filled to the end,
# alone and two at once, beside other memory of the process, in a nested group, where the bound is
# raised meanwhile, and where files fill the group. Needs root and control groups of version 1;
# where they are not, it says so. The groups that it makes are gone afterwards.
#
#   groups.sh [OPTIONS]     options for `swift build`
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

leave_out() {
  echo "left out here: $1"
  echo "0 passed, 0 failed"
  exit 0
}
mount=/sys/fs/cgroup/memory
((EUID == 0)) || leave_out "only root may make control groups"
[ -f $mount/memory.limit_in_bytes ] || leave_out "there are no control groups of version 1"
top=$mount/pagealloc-$$
mkdir $top 2>/dev/null || leave_out "no control group can be made here (in a container?)"

. Tests/Process/program.sh
file=$here/groups.data
clean() {
  rm -f "$file"
  for _ in {1..50}; do
    rmdir $top/inner 2>/dev/null || true
    rmdir $top 2>/dev/null && return
    sleep 0.1
  done
}
trap clean EXIT
trap 'exit 1' HUP INT TERM

build_program Groups "$@"

passed=0 failed=0
# run TIMES MEBIBYTES FOLDER WORDS...: in a group of so many MiB, from a folder of it.
run() {
  local times=$1 bytes=$(($2 << 20)) folder=$3 good=0 said='' status
  shift 3
  for ((round = 0; round < times; round++)); do
    echo $bytes >$top/memory.limit_in_bytes
    said=$(echo $BASHPID >$folder/cgroup.procs && exec timeout 60 "$here/Groups" "$@" 2>&1) &&
      status=0 || status=$?
    if ((status == 0)); then good=$((good + 1)); else said="status $status: $said"; fi
    echo 0 >$top/memory.force_empty 2>/dev/null || true
  done
  printf '  %s MiB, %s: %s of %s; the last: %s\n' $((bytes >> 20)) "$*" $good "$times" \
    "$(tr '\n' ' ' <<<"$said")"
  if ((good == times)); then passed=$((passed + 1)); else failed=$((failed + 1)); fi
}
mkdir $top/inner
run 20 64 $top fill 1
run 20 256 $top fill 1
run 10 64 $top fill 2
run 10 256 $top fill 2
run 5 128 $top beside
run 3 64 $top late
run 3 64 $top/inner fill 2
run 2 64 $top raise $top/memory.limit_in_bytes $((160 << 20))
dd if=/dev/zero of="$file" bs=1M count=96 status=none
run 2 96 $top cache "$file"
echo "$passed passed, $failed failed"
((failed == 0))
