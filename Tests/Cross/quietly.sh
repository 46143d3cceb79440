#!/usr/bin/env bash
# Runs a build so that its progress shows on a terminal only; warnings and errors show always,
# on standard error.
#
#   quietly.sh WHAT COMMAND...
set -euo pipefail

what=$1
shift
steps='^\[[0-9]+/[0-9]+\] |^Build (of (product|target).* )?complete|^Building for|^$'
steps+='|^(Fetching|Fetched|Creating|Computing|Computed|Working copy|Updating|Updated) '
steps+='|^Another instance of SwiftPM '

if [[ -t 2 ]]; then
  "$@" 1>&2
else
  "$@" 2>&1 | { grep -vE "$steps" || true; } >&2 || {
    echo "error: building $what failed" >&2
    exit 1
  }
fi
