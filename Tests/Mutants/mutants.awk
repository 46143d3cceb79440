# Lists every mutant of the given Swift files: FILE, LINE, COLUMN, what stands there, what is to.
# Comments, texts, assertions and what only a debugger reads are left alone.

BEGIN {
  OFS = "\t"
  modifiers = "package|public|private|fileprivate|static|mutating|nonmutating"
  n = split(" < | <= \n <= | < \n > | >= \n >= | > \n == | != \n != | == \n && | || \n || | && \n" \
    " &+ | &- \n &- | &+ \n + | - \n - | + \n += | -= \n -= | += \n &+= | &-= \n &-= | &+= \n" \
    "..<|...\nmin(|max(\nmax(|min(\ntrue|false\nfalse|true\n |= | &= \n &= | |= \n" \
    " | | & \n & | | \n &<< | &>> \n &>> | &<< \n << | >> \n >> | << \n" \
    "leadingZeroBitCount|trailingZeroBitCount\ntrailingZeroBitCount|leadingZeroBitCount\n" \
    " 1)| 2)\n 1 | 0 \n 0)| 1)", rules, "\n")
  for (i = 1; i <= n; i++) {
    # The bar between the two may be doubled by what it separates: cut at the middle.
    cut = middle(rules[i])
    from[i] = substr(rules[i], 1, cut - 1)
    to[i] = substr(rules[i], cut + 1)
  }
}

# Where the bar stands that separates a rule's sides.
function middle(rule,    p) {
  if (rule == " || | && ") return 5
  if (rule == " && | || ") return 5
  if (rule == " |= | &= ") return 5
  if (rule == " | | & ") return 4
  return index(rule, "|")
}

/^[ \t]*(\/\/|assert|precondition|import|@)/ { next }
$0 ~ "^[ \t]*((" modifiers ") )*(func|init|subscript)" { next }
/corrupted\(|fatalError\(/ { next }

# Whether a place of a line lies in a text: the quotes before it are odd.
function isInText(code, place,    before) {
  before = substr(code, 1, place - 1)
  return gsub(/"/, "", before) % 2
}

{
  code = $0
  sub(/[ \t]\/\/.*/, "", code)
  for (i = 1; i <= n; i++) {
    at = 1
    while ((p = index(substr(code, at), from[i])) > 0) {
      if (!isInText(code, at + p - 1)) print FILENAME, FNR, at + p - 1, from[i], to[i]
      at += p
    }
  }
}
