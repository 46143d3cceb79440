#!/usr/bin/env bash
# Every block of Swift in the pages of the project and in the comments of its sources compiles, with
# strict memory safety and without a warning. Every link from one page to another file leads there,
# and every target of make and command of pagetool that a page names is there.
#
#   docs.sh [OPTIONS]     options for `swift build`
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

here=.build/doc-blocks
rm -rf "$here"
mkdir -p "$here"
mapfile -t files < <(ls -- *.md; find Sources Tests Benchmarks -name .build -prune -o \
  \( -name '*.md' -o -path 'Sources/*.swift' \) -print | sort)
awk -f Tests/Docs/blocks.awk -v refused="$here/refused" Tests/Docs/assumed.txt "${files[@]}" \
  >"$here/blocks.swift"
blocks=$(grep -c '^// block ' "$here/blocks.swift" || true)

# What blocks import, as far as it is the package's; with the trait that one of them needs, which
# makes another build of everything, in the folder of `make test-metrics`.
modules=$(sed -n 's/^import //p' "$here/blocks.swift")
built=.build/metrics
for module in $modules; do
  [[ ! -d Sources/$module ]] ||
    Tests/Cross/quietly.sh "$module" swift build --traits Metrics --scratch-path "$built" \
      --target "$module" "$@"
done
status=0
# The file's name in an error is the page's.
compile=(swiftc -swift-version 6 -strict-memory-safety -parse-as-library -emit-sil -o /dev/null
  -I "$built/debug/Modules" -I Sources/CSysMem -I Sources/CThreadSlots/include
  -I Sources/CDiagnosis/include)
said=$("${compile[@]}" -warnings-as-errors "$here/blocks.swift" 2>&1) || status=$?
failed=$(awk '
  NR == FNR { if (/^\/\/ block /) { file[++n] = $3; first[n] = $4; last[n] = $5 }; next }
  split($1, place, ":") > 3 && $2 == "error:" {
    for (i = 1; i <= n; i++)
      if (place[1] == file[i] && place[2] >= first[i] && place[2] <= last[i]) bad[i] = 1
  }
  END { for (i in bad) print i }' "$here/blocks.swift" - <<<"$said" | wc -l)
if ((status != 0)); then
  printf '%s\nFAILED: blocks of the documentation do not compile\n' "$said"
  # An error somewhere else is one, too.
  ((failed > 0)) || failed=1
fi
if ((blocks == 0)); then
  echo "FAILED: no block was found"
  failed=1
fi

# Blocks that are refused, each with the words that stand in it.
while read -r _ _ source file first last; do
  [[ -n $source ]] || continue
  blocks=$((blocks + 1))
  said=$("${compile[@]}" "$source" 2>&1 | grep -E '^[^ ].*: error: ' | sort -u || true)
  if ! awk -v first="$first" -v last="$last" '
    NR == FNR { if (match($0, /: error: .*/)) said[++n] = $0; next }
    FNR < first || FNR > last { next }
    words != "" && match($0, /^ *\/\/   /) { words = words " " substr($0, RLENGTH + 1); next }
    words != "" { look() }
    match($0, /\/\/ error: /) { line = FNR; words = substr($0, RSTART + RLENGTH); wanted++ }
    function look(    i, place) {
      for (i = 1; i <= n; i++) {
        split(said[i], place, ":")
        if ((place[2] == line || place[2] == line - 1) && index(said[i], ": error: " words)) {
          found++
          break
        }
      }
      words = ""
    }
    END { exit !(found == wanted && n == wanted) }' <(echo "$said") "$file"; then
    printf 'FAILED: %s:%s: the compiler says something else:\n%s\n' "$file" "$first" "$said"
    failed=$((failed + 1))
  fi
done < <(grep '^// refused ' "$here/blocks.swift")

# DocC looks after the links of its catalogue.
links=$(printf '%s\n' "${files[@]}" | grep '\.md$' | grep -v '\.docc/' |
  xargs awk -f Tests/Docs/links.awk)
dead=0
while IFS=' ' read -r place target file; do
  [[ -n $file ]] || continue
  blocks=$((blocks + 1))
  if [[ ! -e $file ]]; then
    echo "FAILED: $place: the link to $target leads nowhere"
    dead=$((dead + 1))
  fi
done <<<"$links"
failed=$((failed + dead))

# Where a page says TARGET or NAME, one of Tests/Cross/targets.txt is meant.
targets=$(awk '!/^#/ { print $1 }' Tests/Cross/targets.txt)
known=$({
  grep -oE '^[a-z][A-Za-z0-9_-]*:' Makefile | tr -d :
  for kind in build test check lib-c test-c-door; do
    for target in $targets TARGET NAME; do echo "$kind-$target"; done
  done
})
unknown=0
while IFS=' ' read -r place program what; do
  [[ -n $what ]] || continue
  blocks=$((blocks + 1))
  if [[ $program == make ]] && grep -qx -- "$what" <<<"$known"; then continue; fi
  if [[ $program == pagetool && ($what == help || -e Sources/pagetool/${what^}.swift) ]]; then
    continue
  fi
  echo "FAILED: $place: there is no \`$program $what\`"
  unknown=$((unknown + 1))
done < <(printf '%s\n' "${files[@]}" | grep '\.md$' | xargs awk -f Tests/Docs/commands.awk)
failed=$((failed + unknown))

# Each variable of the environment that a source reads is told of on the page about them.
page=Sources/PageAlloc/PageAlloc.docc/EnvironmentVariables.md
while read -r variable; do
  blocks=$((blocks + 1))
  if ! grep -q "\`$variable\`" "$page"; then
    echo "FAILED: $page says nothing of $variable"
    failed=$((failed + 1))
  fi
done < <(grep -rhoE '"PAGEALLOC_[A-Z_]+"' Package.swift Sources Tests/Clients \
  --include='*.swift' --include='*.c' --include='*.h' | tr -d '"' | sort -u)
echo "$((blocks > failed ? blocks - failed : 0)) passed, $failed failed"
((failed == 0))
