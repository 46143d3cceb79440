#!/usr/bin/awk -f
# Takes the blocks of Swift out of pages of Markdown and out of `///` comments, and writes one
# source file with a function for each, in which errors are told of by the page and its line.
#
#   blocks.awk -v refused=PREFIX ASSUMED FILES...
#
# A block with comments `// error: WHAT` is one that the compiler is to refuse, in the line of the
# comment or the one above it, with those words; a long WHAT goes on in lines that begin with `//`
# and three blanks. Each such block goes into a file of its own, PREFIX and a
# number, and is told of at the end of the others as `// refused FILE FIRST LAST`.
#
# ASSUMED is what a block may use without declaring it: a name and its type in each line. What a
# block declares and does not use any more is used behind it, so that the compiler does not mind.

FILENAME == ARGV[1] {
  if ($0 !~ /^#/ && NF) { assumed[++assumptions] = $0; sub(/:.*/, "", $0); name[assumptions] = $0 }
  next
}

FNR == 1 { finish() }

BEGIN { use = "\nfunc use<Value: ~Copyable>(_ value: borrowing Value) {}\n\n" }

{
  line = $0
  isComment = sub(/^[ \t]*\/\/\/ ?/, "", line)
  if (FILENAME ~ /\.swift$/ && !isComment) { finish(); next }
  if (!inside && line ~ /^[ \t]*```swift[ \t]*$/) {
    inside = 1; first = FNR + 1; file = FILENAME; text = ""; words = ""; needs = ""
  } else if (inside && line ~ /^[ \t]*```[ \t]*$/) {
    write()
  } else if (inside) {
    if (line ~ /^import /) { needs = needs line "\n"; line = "" }
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

function write(    i, list, lines, count, parts, used, body) {
  inside = 0
  blocks++
  isRefused = text ~ /\/\/ error: /
  if (!isRefused) {
    count = split(needs, lines, "\n")
    for (i = 1; i < count; i++) imports[lines[i]] = 1
  }
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
  body = "func block" blocks "(" list ")" \
    (words ~ /[^A-Za-z]await / ? " async" : "") " throws {\ndo {\n" \
    "#sourceLocation(file: \"" file "\", line: " first ")\n" text "#sourceLocation()\n" \
    used "}\n}\n\n"
  if (isRefused) {
    printf "import PageAlloc\n%s%s%s", needs, use, body > (refused blocks ".swift")
    places = places "// refused " refused blocks ".swift " file " " first " " FNR "\n"
  } else {
    places = places "// block " file " " first " " FNR "\n"
    functions = functions body
  }
}

END {
  finish()
  if (isBroken) exit 1
  imports["import PageAlloc"] = 1
  for (line in imports) print line | "sort"
  close("sort")
  printf "%s", use
  printf "%s", functions
  printf "%s", places
}
