#!/usr/bin/awk -f
# Looks whether the comments of public functions, initializers and subscripts say what they throw,
# where they throw, and what they cost. Reads a symbol graph as `symbolgraph-extract -pretty-print`
# writes it; what has no comment of this module's own, since the compiler made it or it stands for
# a protocol's, is passed over.

function value(line) {
  sub(/^[^"]*"([a-zA-Z]+": ")?/, "", line)
  sub(/",?$/, "", line)
  return line
}

/^    {$/ { path = declaration = comment = kind = module = "" }
/^        "identifier": "/ { kind = value($0) }
/^      "pathComponents": \[$/ { inPath = 1; next }
/^      "declarationFragments": \[$/ { inDeclaration = 1; next }
/^      "docComment": {$/ { inComment = 1; next }
/^      [\]}],?$/ { inPath = inDeclaration = inComment = 0 }
inPath { path = path (path == "" ? "" : ".") value($0) }
inDeclaration && /^          "spelling": "/ { declaration = declaration value($0) }
inComment && /^        "module": "/ { module = value($0) }
inComment && /^            "text": "/ { comment = comment value($0) "\n" }

/^    },?$/ {
  if (module == "PageAlloc" && kind ~ /(method|init|subscript|func)$/) {
    if (declaration ~ /throws/ && comment !~ /- Throws:/) missing(path, "what it throws")
    if (comment !~ /- Complexity:/) missing(path, "its complexity")
  }
  path = ""
}

function missing(path, what) {
  print "FAILED: the comment of " path " does not say " what
  failures++
}

END { exit failures > 0 }
