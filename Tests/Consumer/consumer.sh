#!/usr/bin/env bash
# The library as others get it: a new package depends on a clone, by URL and version, and nothing of
# this checkout is at hand. Built in debug, with strict memory safety and warnings as errors, in
# release, and with the static standard library; what was built is run each time.
#
# The clone has what was committed.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

here=$PWD/.build/consumer
# The one place that says which version this is.
version=$(sed -nE 's/^#define PA_VERSION_(MAJOR|MINOR|PATCH) ([0-9]+)$/\2/p' \
  Sources/CPageAlloc/include/pagealloc.h | paste -sd .)
rm -rf "$here"
mkdir -p "$here/program/Sources/consumer"
git clone -q . "$here/PageAlloc"
git -C "$here/PageAlloc" tag --force "$version" >/dev/null
cp Tests/Consumer/Main.swift "$here/program/Sources/consumer/"
cat >"$here/program/Package.swift" <<EOF
// swift-tools-version: 6.2
import PackageDescription

let isStrict = Context.environment["STRICT"] != nil
let package = Package(
  name: "program",
  dependencies: [.package(url: "file://$here/PageAlloc", from: "$version")],
  targets: [
    .executableTarget(
      name: "consumer", dependencies: [.product(name: "PageAlloc", package: "PageAlloc")],
      swiftSettings: isStrict ? [.strictMemorySafety(), .treatAllWarnings(as: .error)] : [])
  ],
  swiftLanguageModes: isStrict ? [.v6] : [.v5]
)
EOF

# Caches of its own: another clone had the same version.
options=(--package-path "$here/program" --cache-path "$here/cache"
  --security-path "$here/security")
passed=0 failed=0
# try NAME OPTIONS... builds, runs, and compares what is printed.
try() {
  local name=$1 said status=0
  local expected="an arena, a run, a shared one (4 pages), a region, a pool, a frame"
  shift
  Tests/Cross/quietly.sh "the consumer, $name," swift build "${options[@]}" "$@"
  program=$(swift build "${options[@]}" "$@" --show-bin-path)/consumer
  said=$("$program" 2>&1) || status=$?
  if [[ $status == 0 && $said == "$expected" ]]; then
    passed=$((passed + 1))
  else
    failed=$((failed + 1))
    printf 'FAILED: %s: status %s: %s\n' "$name" "$status" "$said"
  fi
}

try debug
STRICT=1 try "strict memory safety, warnings as errors"
try release -c release
try "static standard library" -c release --static-swift-stdlib
if ldd "$program" | grep -q libswiftCore; then
  failed=$((failed + 1))
  echo "FAILED: the standard library is not linked statically"
fi
echo "$passed passed, $failed failed"
((failed == 0))
