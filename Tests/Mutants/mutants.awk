# Lists every mutant of the given Swift files: FILE, LINE, COLUMN, what stands there, what is to.
# Comments, assertions and what only a debugger reads are left alone.

BEGIN {
  OFS = "\t"
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

/^[ \t]*(\/\/|assert|precondition|import|@|package (static )?(func|init)|private func|func)/ { next }
/corrupted\(/ { next }

{
  code = $0
  sub(/[ \t]\/\/.*/, "", code)
  for (i = 1; i <= n; i++) {
    at = 1
    while ((p = index(substr(code, at), from[i])) > 0) {
      print FILENAME, FNR, at + p - 1, from[i], to[i]
      at += p
    }
  }
}
