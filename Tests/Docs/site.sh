#!/usr/bin/env bash
# Builds the documentation as a web site, .build/docs/index.html, which opens from disk, too. A
# warning of DocC's, a dead link above all, is an error; and so is a public function whose comment
# does not say what it throws, or what it costs.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

site=.build/docs
docc=$(dirname "$(readlink -f "$(command -v swiftc)")")/docc
Tests/Cross/symbols.sh .build/symbols
rm -rf "$site"
if ! awk -f Tests/Docs/doc-comments.awk .build/symbols/PageAlloc.symbols.json; then
  echo "0 passed, 1 failed"
  exit 1
fi
if ! "$docc" convert Sources/PageAlloc/PageAlloc.docc --additional-symbol-graph-dir .build/symbols \
  --fallback-default-module-kind Library --output-dir "$site" --warnings-as-errors |
  sed "/^$/d"; then
  echo "0 passed, 1 failed"
  exit 1
fi
cp Tests/Docs/from-disk.js "$site"

# All pages are the same file, which loads the data of its place: what it refers to at the root of a
# host is referred to by as many steps up as the page lies deep.
pages=0
while IFS= read -r page; do
  up=${page#"$site"/}
  up=$(sed 's|[^/]*/|../|g; s|[^/]*$||' <<<"$up")
  sed -i -E "s#(href|src)=\"/#\1=\"$up#g
    s#<script>var baseUrl = \"/\"</script>#<script src=\"${up}from-disk.js\"></script>#" "$page"
  grep -q 'from-disk\.js' "$page"
  pages=$((pages + 1))
done < <(find "$site/documentation" -name index.html)
while IFS= read -r file; do
  { printf 'siteData = '; cat "$file"; } >"$file.js"
done < <(find "$site/data" "$site/index" -name '*.json')
cat >"$site/index.html" <<'END'
<!doctype html>
<meta charset="utf-8">
<title>PageAlloc</title>
<meta http-equiv="refresh" content="0; url=documentation/pagealloc/index.html">
<a href="documentation/pagealloc/index.html">PageAlloc</a>
END

# A page shows what it has only once the browser has run its scripts and loaded its data.
if browser=$(command -v chromium || command -v chromium-browser); then
  said=$(timeout 120 "$browser" --headless --no-sandbox --disable-gpu --virtual-time-budget=10000 \
    --dump-dom "file://$PWD/$site/documentation/pagealloc/pagerun/index.html" 2>/dev/null || true)
  if [[ $said != *"A run of pages that frees itself"* ]]; then
    echo "FAILED: a page does not open from disk in $browser"
    echo "$pages passed, 1 failed"
    exit 1
  fi
else
  echo "not opened in a browser: there is no chromium here"
fi
echo "open $site/index.html"
echo "$pages passed, 0 failed"
