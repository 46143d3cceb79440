#!/usr/bin/awk -f
# The links of pages of Markdown that lead to other files: of each its place, what it says, and the
# file that it leads to. Blocks and words of code have none.
#
#   links.awk FILES...

FNR == 1 { inside = 0; folder = FILENAME; if (!sub("/[^/]*$", "/", folder)) folder = "" }

/^[ \t]*```/ { inside = !inside; next }

!inside {
  line = $0
  gsub(/`[^`]*`/, "", line)
  while (match(line, /\]\([^) ]+\)/)) {
    target = substr(line, RSTART + 2, RLENGTH - 3)
    line = substr(line, RSTART + RLENGTH)
    if (target ~ /^([a-z]+:|#)/) continue
    file = target
    sub(/#.*/, "", file)
    print FILENAME ":" FNR, target, folder file
  }
}
