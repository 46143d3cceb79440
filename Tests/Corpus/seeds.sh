#!/usr/bin/env bash
# Writes the first inputs of every target anew: cut from the files in Tests/Data, or made up here.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
data=../Data/conformance
mkdir -p operations door pools conformance programs gzip straces

# Any bytes make a storm: those of compressed files are as good as random.
for name in churn-small churn-mixed heap-model scavenge-churn; do
  head -c 1124 "$data/$name.trace.gz" | tail -c 1024 >"operations/seed-$name"
  head -c 900 "$data/$name.trace.gz" | tail -c 600 >"pools/seed-$name"
done
: >operations/seed-empty
cp operations/seed-churn-mixed door/seed-churn-mixed

# The head, and the first lines of the body, closed by the number of operations where that is
# simple.
for file in "$data"/*.gz; do
  name=$(basename "$file" .gz)
  case $name in
    *.ptrace) continue ;;
    # Of a kind, one is enough.
    churn-* | contiguous-[2-4]* | scavenge-churn-* | search-*) continue ;;
  esac
  gzip -dc "$file" 2>/dev/null | awk '
    length($0) > 600 { exit }
    { print }
    begun && /^[^ ]/ { n++ }
    $1 == "begin" { begun = 1 }
    n == 12 && $1 != "dump" && $1 != "tree" { print "end " n; exit }' \
    >"conformance/seed-$name" || true
done
{
  printf 'ptrace 1\nrun tiny seed=2a ops=100 every=100 base=1 chunks=2 maxlog=6 '
  printf 'physpage=4096 hugepage=0\nat 100 -> \nend 100\n'
} >conformance/seed-tiny.ptrace

{
  printf '#pagetrace 1\n# name: small\n# kind: mmap\n# program: none\n# version: 1\n'
  printf '# command: none\n# arch: any\n# page_size: 8192\n# threads: 3\n'
  printf '# arena_limit_pages: 524288\n# events: 13\n# allocs: 4\n# frees: 5\n'
  printf '# resizes: 2\n# purges: 2\n# peak_live_pages: 15\n'
  printf '# end_live_pages: 9\n# total_alloc_pages: 18\n# cache_allocs: 0\n#end\n'
  printf 'a 0 4 0\na 1 1 1\na 2 7 2\nf 0 1 2 0\np 2 2 3 1\nr 1 5 0\nf 0 0 1 1\na 3 2 0\nr 1 3 2\n'
  printf 'f 0 3 1 0\np 3 0 2 2\nf 2 6 1 0\nf 2 0 2 0\n'
} >programs/seed-mmap
{
  printf '#pagetrace 1\n# name: small\n# kind: go-spans\n# program: none\n# version: 1\n'
  printf '# command: none\n# arch: any\n# page_size: 8192\n# threads: 2\n'
  printf '# arena_limit_pages: 524288\n# events: 3\n# allocs: 2\n# frees: 1\n'
  printf '# resizes: 0\n# purges: 0\n# peak_live_pages: 3\n'
  printf '# end_live_pages: 2\n# total_alloc_pages: 3\n# cache_allocs: 1\n#end\n'
  printf 'a 0 1 0 c\na 1 2 1\nf 0 0 1 1\n'
} >programs/seed-go

# Plain, two members, padding, cut, damaged, stored, with a name, empty, and long when unpacked.
printf 'alloc 1 -> 512 0\n' | gzip -n >gzip/seed-plain
{ cat gzip/seed-plain; printf 'free 512 1\n' | gzip -n; } >gzip/seed-two
{ cat gzip/seed-plain; printf '\0\0\0\0'; } >gzip/seed-padded
head -c 20 gzip/seed-plain >gzip/seed-cut
{ head -c 15 gzip/seed-plain; printf 'xx'; tail -c +18 gzip/seed-plain; } >gzip/seed-damaged
printf 'abc' | gzip -n -1 >gzip/seed-stored
: | gzip -n >gzip/seed-empty
head -c 100000 /dev/zero | gzip -n >gzip/seed-long
printf 'no gzip\n' >gzip/seed-other

# The last lines of straces, in which threads and processes are; and one of each call.
for name in gcc gcc-process node pipeline; do
  gzip -dc "../Data/strace/$name.strace.gz" | tail -n 16 | cut -c 1-160 >"straces/seed-$name"
done
map='mmap(NULL, 16384, PROT_READ|PROT_WRITE, MAP_PRIVATE|MAP_ANONYMOUS, -1, 0) = '
{
  printf 'execve("/bin/a", ["a"], 0x7ff) = 0\nbrk(NULL) = 0x555000\nbrk(0x559000) = 0x559000\n'
  printf '%s0x10000\n' "$map"
  printf 'mremap(0x10000, 16384, 32768, MREMAP_MAYMOVE) = 0x20000\n'
  printf 'mprotect(0x21000, 8192, PROT_NONE) = 0\nmadvise(0x20000, 32768, MADV_DONTNEED) = 0\n'
  printf 'munmap(0x22000, 4096) = 0\nbrk(0x556000) = 0x556000\n'
} >straces/seed-calls
{
  printf '1 %s0x10000\n1 fork( <unfinished ...>\n2 munmap(0x12000, 8192) = 0\n' "$map"
  printf '1 <... fork resumed>) = 2\n2 clone(flags=CLONE_VM|CLONE_THREAD) = 3\n3 %s0x30000\n' "$map"
  printf '3 execve("/bin/b", ["b"], 0x7ff <unfinished ...>\n'
  printf '2 +++ superseded by execve in pid 3 +++\n2 <... execve resumed>) = 0\n'
  printf '2 %s0x10000\n1 +++ exited with 0 +++\n' "$map"
} >straces/seed-processes
