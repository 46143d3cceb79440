#!/usr/bin/awk -f
# The declarations of symbol graphs, as `symbolgraph-extract -pretty-print` writes them, a line
# each:
#
#   PageArena.label | var label: String { get }
#
# What a type conforms to stands behind its declaration. That it cannot be copied, or that a call is
# unsafe, is not in these graphs: the snippets beside this file see to that.

# The text of a line that is a string, or a key and a string.
function value(line) {
  sub(/^[^"]*"([a-zA-Z]+": ")?/, "", line)
  sub(/",?$/, "", line)
  gsub(/\\"/, "\"", line)
  gsub(/\\\//, "/", line)
  return line
}

/^    {$/ {
  path = declaration = id = kind = ""
  isDeprecated = 0
}
/^        "identifier": "/ { kind = value($0) }
/^        "precise": "/ { id = value($0) }
/^      "pathComponents": \[$/ { inPath = 1; next }
/^      "declarationFragments": \[$/ { inDeclaration = 1; next }
/^      \],?$/ { inPath = inDeclaration = 0 }
inPath { path = path (path == "" ? "" : ".") value($0) }
inDeclaration && /^          "spelling": "/ { declaration = declaration value($0) }
/"isUnconditionallyDeprecated": true/ { isDeprecated = 1 }
/^      "kind": "/ { relation = value($0) }
/^      "source": "/ { source = value($0) }
/^      "target": "/ { target = value($0) }
/^      "targetFallback": "/ { fallback = value($0) }

/^    },?$/ {
  if (path != "") {
    gsub(/\\n/, " ", declaration)
    gsub(/  +/, " ", declaration)
    name[++symbols] = path
    said[symbols] = declaration (isDeprecated ? " (deprecated)" : "")
    number[id] = symbols
    isType[symbols] = kind ~ /swift\.(struct|enum|class)$/
    pathOf[id] = path
  } else if (relation == "conformsTo" && source in number) {
    if (fallback == "") fallback = target in pathOf ? pathOf[target] : target
    sub(/^Swift\./, "", fallback)
    if (fallback !~ /^(Copyable|Escapable|SendableMetatype)$/)
      list[source] = list[source] "\n" fallback
  }
  path = relation = source = target = fallback = ""
}

END {
  for (id in number) {
    i = number[id]
    if (isType[i]) {
      count = split(substr(list[id], 2), parts, "\n")
      # A short list, in order.
      for (a = 2; a <= count; a++)
        for (b = a; b > 1 && parts[b] < parts[b - 1]; b--) {
          kept = parts[b]; parts[b] = parts[b - 1]; parts[b - 1] = kept
        }
      text = ""
      for (a = 1; a <= count; a++) text = text ", " parts[a]
      if (text != "") said[i] = said[i] ": " substr(text, 3)
    }
    print name[i] " | " said[i]
  }
}
