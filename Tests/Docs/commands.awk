#!/usr/bin/awk -f
# The commands that pages of Markdown name, in blocks and words of code: of each its place, the
# program (`make` or `pagetool`), and what it is asked for.
#
#   commands.awk FILES...

FNR == 1 { inside = 0 }

/^[ \t]*```/ { inside = !inside; next }

inside && match($0, /^ *(make|pagetool) [a-z][A-Za-z0-9_-]*/) { tell(substr($0, RSTART, RLENGTH)) }

!inside {
  line = $0
  while (match(line, /`(make|pagetool) [a-z][A-Za-z0-9_-]*/)) {
    tell(substr(line, RSTART + 1, RLENGTH - 1))
    line = substr(line, RSTART + RLENGTH)
  }
}

function tell(command,    words) {
  split(command, words, " ")
  print FILENAME ":" FNR, words[1], words[2]
}
