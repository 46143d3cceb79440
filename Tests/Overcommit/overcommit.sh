#!/usr/bin/env bash
# The checks where the kernel does not overcommit (vm.overcommit_memory 2). For that root has to
# change the whole system for half a minute; the settings are put back in any case.
#
#   overcommit.sh CROSSCHECK PAGETOOL TRACE
#
# First with 32 GiB to be committed: all checks, and a replay. Then, without the privilege by which
# root may use the last 8 GiB, with 400 MiB: growth until the kernel refuses. Programs of other
# users may be refused memory in these last seconds, too. The closing line is `N passed, N failed`;
# status 1 where anything failed.
set -euo pipefail
crosscheck=$1 pagetool=$2 trace=$3
vm=/proc/sys/vm

leave_out() {
  echo "left out here: $1"
  echo "0 passed, 0 failed"
  exit 0
}
((EUID == 0)) || leave_out "only root may set vm.overcommit_memory"
command -v setpriv >/dev/null || leave_out "setpriv (util-linux) is not installed"

mode=$(<$vm/overcommit_memory) reserve=$(<$vm/admin_reserve_kbytes)
ratio=$(<$vm/overcommit_ratio) kibibytes=$(<$vm/overcommit_kbytes)
# Setting one of the two bounds clears the other, so that only the one in force is put back.
restore() {
  echo "$mode" >$vm/overcommit_memory
  echo "$reserve" >$vm/admin_reserve_kbytes
  if ((kibibytes)); then
    echo "$kibibytes" >$vm/overcommit_kbytes
  else
    echo "$ratio" >$vm/overcommit_ratio
  fi
}
{ echo "$mode" >$vm/overcommit_memory; } 2>/dev/null ||
  leave_out "vm.overcommit_memory cannot be set here (in a container?)"
trap restore EXIT
trap 'exit 1' HUP INT TERM

# Lets $1 KiB be committed beyond what is, and by root $2 more.
limit() {
  local committed
  committed=$(awk '$1 == "Committed_AS:" { print $2 }' /proc/meminfo)
  echo $((committed + $1 + $2)) >$vm/overcommit_kbytes
  echo 2 >$vm/overcommit_memory
  if (($2)); then echo "$2" >$vm/admin_reserve_kbytes; fi
}

run() {
  echo "== $1"
  shift
  "$@" 2>&1 || echo "failed with status $?: $*"
}
{
  limit $((32 << 20)) 0
  run "32 GiB to be committed: the checks" "$crosscheck" test
  run "32 GiB to be committed: a replay" "$pagetool" replay --quick "$trace"
  limit $((400 << 10)) $((8 << 20))
  run "400 MiB to be committed" setpriv --bounding-set=-sys_admin "$crosscheck" test overcommit
} | awk '
    /^[0-9]+ passed, [0-9]+ failed$/ { passed += $1; failed += $3; told = $3; next }
    # Failed checks have been told and counted.
    /^failed with status 1: / && told { told = 0; next }
    /^failed with status / { failed++ }
    { print; fflush() }
    END { printf "%d passed, %d failed\n", passed, failed; exit failed > 0 }'
