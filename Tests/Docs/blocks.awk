#!/usr/bin/awk -f
# Takes the blocks of Swift out of pages of Markdown and out of `///` comments, and writes one source
# file with a function for each, in which errors are told of by the page and its line.
#
#   blocks.awk ASSUMED FILES...
#
# ASSUMED is what a block may use without declaring it: a name and its type in each line. What a
# block declares and does not use any more is used behind it, so that the compiler does not mind.

FILENAME == ARGV[1] {
  if ($0 !~ /^#/ && NF) { assumed[++assumptions] = $0; sub(/:.*/, "", $0); name[assumptions] = $0 }
  next
}

FNR == 1 { finish() }

{
  line = $0
  isComment = sub(/^[ \t]*\/\/\/ ?/, "", line)
  if (FILENAME ~ /\.swift$/ && !isComment) { finish(); next }
  if (!inside && line ~ /^[ \t]*```swift[ \t]*$/) {
    inside = 1; first = FNR + 1; file = FILENAME; text = ""; words = ""
  } else if (inside && line ~ /^[ \t]*```[ \t]*$/) {
    write()
  } else if (inside) {
    if (line ~ /^import /) { imports[line] = 1; line = "" }
    text = text line "\n"
    sub(/\/\/.*/, "", line)
    words = words " " line "\n"
  }
}

# A block that has no end.
function finish() {
  if (!inside) return
  printf "error: %s:%d: a block has no end\n", file, first > "/dev/stderr"
  inside = 0
  exit isBroken = 1
}

# How often a block has a name, its comments aside.
function uses(name,    rest) {
  rest = words
  return gsub("(^|[^A-Za-z0-9_.])" name "[^A-Za-z0-9_:]", "", rest)
}

function write(    i, list, lines, count, parts, used) {
  inside = 0
  blocks++
  # A comment's block has what its module has.
  if (split(file, parts, "/") > 2 && parts[1] == "Sources") imports["import " parts[2]] = 1
  for (i = 1; i <= assumptions; i++)
    if (uses(name[i]) && words !~ "(let|var) " name[i] "[ :=]")
      list = list (list == "" ? "" : ", ") assumed[i]
  count = split(words, lines, "\n")
  for (i = 1; i <= count; i++)
    if (match(lines[i], /^ (let|var) [A-Za-z]+ /)) {
      split(substr(lines[i], RSTART, RLENGTH), parts, " ")
      if (uses(parts[2]) < 2) used = used "use(" parts[2] ")\n"
    }
  places = places "// block " file " " first " " FNR "\n"
  functions = functions "func block" blocks "(" list ")" \
    (words ~ /[^A-Za-z]await / ? " async" : "") " throws {\ndo {\n" \
    "#sourceLocation(file: \"" file "\", line: " first ")\n" text "#sourceLocation()\n" \
    used "}\n}\n\n"
}

END {
  finish()
  if (isBroken) exit 1
  imports["import PageAlloc"] = 1
  for (line in imports) print line | "sort"
  close("sort")
  print "\nfunc use<Value: ~Copyable>(_ value: borrowing Value) {}\n"
  printf "%s", functions
  printf "%s", places
}
