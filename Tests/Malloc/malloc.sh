#!/usr/bin/env bash
# Nothing in the library calls malloc once an arena is made and a thread has made its first call,
# and no free starts a thread: a program with a malloc of its own that tells.
#
#   malloc.sh [OPTIONS]     options for `swift build`
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

here=.build/malloc
mkdir -p "$here"
Tests/Cross/quietly.sh PageAlloc swift build -c release --target PageAlloc "$@"
clang -O2 -Wall -Wextra -Werror -c -o "$here/refusing.o" Tests/Malloc/refusing.c
swiftc -O -swift-version 6 -strict-memory-safety -warnings-as-errors -I .build/release/Modules \
  -I Sources/CSysMem -I Sources/CThreadSlots/include -I Sources/CDiagnosis/include \
  -I Tests/Malloc -module-name Main -o "$here/malloc" Tests/Malloc/Main.swift "$here/refusing.o" \
  .build/release/{SysMem,PageAlloc,CThreadSlots,CDiagnosis}.build/*.o

status=0
timeout 60 "$here/malloc" || status=$?
# It must be able to tell.
if timeout 60 "$here/malloc" breaks >"$here/breaks"; then
  echo "FAILED: a call of malloc went unnoticed"
  exit 1
fi
exit $status
