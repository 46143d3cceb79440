# `make` alone lists the targets. Tests/Cross holds what the targets call; CONTRIBUTING.md tells
# how it works.
.DEFAULT_GOAL := help
.NOTPARALLEL:
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
MAKEFLAGS += --no-print-directory

# What runs here says itself which arenas are checked, also under a sanitizer.
export PAGEALLOC_CHECKED ?= 0

# The caches of Swift and clang lie in the home directory; a user without one gets one here.
ifneq ($(shell test -w "$$HOME" && echo yes),yes)
  export HOME := $(CURDIR)/.build/home
endif

# The recording that `make run` replays.
TRACE ?= Sources/pagetool/Workloads/go-compile-gotypes-amd64.trace.gz
# The files that `make check` and `make check-TARGET` compare.
FILES ?=
# What `make bench` hands to the benchmarks, and a folder of more recordings to replay.
BENCH ?=
WORKLOADS ?=
# Where `make install` puts the library for C.
PREFIX ?= /usr/local
DESTDIR ?=
# `make bench-gate RECORD=1` writes the bounds anew.
RECORD ?=

cross := Tests/Cross
# The rows of a table: what is not the full Swift of this machine.
targets := $(shell awk '!/^\#/ { print $$1 }' $(cross)/targets.txt)
sources := $(wildcard Package.swift Sources Tests Benchmarks/Package.swift Benchmarks/Sources)
# `flags`: where zlib is, unless it is the system's.
prepare = $(cross)/provide.sh zlib; $(cross)/fresh.sh .build x86_64-unknown-linux-gnu; \
	mapfile -t flags < .build/cross/zlib.flags
pagetool = $(cross)/quietly.sh pagetool swift build -c release --product pagetool "$${flags[@]}"

##@ Use

help: ## list the targets
	@awk -F ':.*## ' '/^##@/ { print "\n" substr($$0, 5) } \
	  sub(/^\$$\(targets[^)]*\): /, "") { sub(/%/, "TARGET") } \
	  /^[A-Za-z0-9_-]+:.*## / { printf "  make %-16s %s\n", $$1, $$2 } \
	  END { print "\nTARGET: $(targets)" }' $(firstword $(MAKEFILE_LIST))

build: ## build the library and pagetool (debug)
	@$(prepare); swift build "$${flags[@]}"

run: ## replay a recorded program with pagetool (TRACE=file)
	@$(prepare); $(pagetool); .build/release/pagetool replay $(TRACE)

check: ## compare the engine with the reference (FILES="a.trace b.vec.gz")
	@$(prepare); $(pagetool); .build/release/pagetool check $(FILES)

$(targets:%=check-%): check-%: ## the same, with a program for another target
	@$(cross)/crosscheck.sh $* check $(FILES)

bench-program = Benchmarks/.build/release/bench \
  $(if $(WORKLOADS),--workloads $(WORKLOADS)) $(if $(RIVALS),--rivals $(RIVALS)) \
  $(if $(BENCH_SKIP),--skip $(BENCH_SKIP)) $(BENCH)

bench: ## measure against all rivals, 7 to 8 minutes (WORKLOADS, RIVALS=folder, BENCH_SKIP=a,b, THP=1)
	@Benchmarks/build.sh bench; $(bench-program) $(if $(THP),--huge-pages)

bench-quick: ## the most telling rows, half a minute (BENCH="arguments")
	@Benchmarks/build.sh bench; $(bench-program) --quick

bench-all: ## both passes: as all come, and with everybody's switches for huge pages on
	@Benchmarks/build.sh bench; $(bench-program); \
	$(bench-program) --huge-pages --output Benchmarks/results/huge-pages

bench-plots: ## draw the plots of the last results anew (PNG=1: as PNG besides)
	@Benchmarks/build.sh bench; Benchmarks/plots.sh $(if $(PNG),png)

bench-i386: ## measure against the C library, on i386
	@$(cross)/crosscheck.sh i386 bench

lib-c: ## libpagealloc, the library for C, in .build/lib/embedded (no Swift runtime)
	@Sources/CPageAlloc/library.sh build embedded

$(targets:%=lib-c-%): lib-c-%: ## the same for another target, in .build/lib/TARGET
	@Sources/CPageAlloc/library.sh build $*

install: ## build libpagealloc and install it (PREFIX=/usr/local, DESTDIR=)
	@Sources/CPageAlloc/library.sh install embedded "$(PREFIX)" "$(DESTDIR)"

##@ Prove

gates := lint test-ladder test-x86_64 test-compile test-docs docs test-references test-two-copies \
  test-malloc test-metrics test-c-door test-c-door-i386 test-clients test-model test-consumer \
  examples

# The first gate finds the packages resolved; the targets are built and tested while others run, and
# what stands in AHEAD is built.
AHEAD ?=
test: ## all gates: lint, and the checks on every target
	@$(cross)/provide.sh zlib; $(cross)/quietly.sh "the packages" swift package resolve; \
	rm -rf .build/ahead; $(cross)/ahead.sh do $(targets) $(AHEAD) & ahead=$$!; \
	trap "kill $$ahead 2>/dev/null || true" EXIT; \
	$(MAKE) $(gates); $(cross)/ahead.sh finish $(targets)

test-ladder: ## each rung of the library compiles with the rungs above it alone
	@echo "== ladder"; Tests/Ladder/ladder.sh

test-x86_64: ## the Swift Testing suites
	@echo "== x86_64"; $(prepare); \
	$(cross)/quietly.sh "the tests" swift build --build-tests "$${flags[@]}"; \
	swift test --skip-build --disable-xctest "$${flags[@]}" 2>&1 | \
	$(cross)/count-tests.awk

examples: ## build seven programs that use the library, run them, check what they print
	@echo "== examples"; Sources/Examples/examples.sh

$(targets:%=test-%): test-%: ## the checks and the conformance files on another target
	@echo "== $*"; $(cross)/crosscheck.sh $* test

bench-gate: ## count instructions, compare with recorded bounds (RECORD=1: record)
	@Benchmarks/build.sh hotpath; Benchmarks/gate.sh $(if $(RECORD),record)

$(targets:%=build-%): build-%: ## only compile, for another target
	@$(cross)/crosscheck.sh $* build

##@ Attack

NIGHTLY ?= 10000000
SECONDS ?= 60
SEED ?= 1
# The recordings whose films are opened in a browser, and more of them.
films := $(addprefix Benchmarks/Workloads/,go-flatework-amd64.trace.gz mmap-node.trace.gz)
FILMS ?=
MUTANTS ?= 40

test-compile: ## what must not compile does not; the public names
	@$(prepare); $(cross)/quietly.sh crosscheck swift build --product crosscheck "$${flags[@]}"; \
	Tests/Compile/refused.sh; Tests/Compile/interface.sh

test-docs: ## every block of Swift in the documentation compiles
	@echo "== docs"; $(prepare); Tests/Docs/docs.sh "$${flags[@]}"

test-consumer: ## a new package depends on the library by URL and version
	@echo "== consumer"; Tests/Consumer/consumer.sh

test-references: ## what runs compile to counts no references
	@$(prepare); Tests/References/references.sh "$${flags[@]}"

test-two-copies: ## two copies of the library in one process leave each other alone
	@$(prepare); Tests/TwoCopies/two-copies.sh "$${flags[@]}"

test-malloc: ## nothing calls malloc once an arena is made; no free starts a thread
	@echo "== malloc"; $(prepare); Tests/Malloc/malloc.sh "$${flags[@]}"

test-metrics: ## with the trait Metrics: what swift-metrics is fed with
	@echo "== metrics"; $(prepare); Tests/Metrics/metrics.sh "$${flags[@]}"

test-c-door: ## libpagealloc as C programs use it: every call, bad input, threads, fork
	@echo "== C door"; Tests/CDoor/c-door.sh embedded

$(targets:%=test-c-door-%): test-c-door-%: ## the same on another target
	@echo "== C door, $*"; Tests/CDoor/c-door.sh $*

test-clients: ## jemalloc, SQLite, Lua and others on our pages: contents, fork, memory back; figures
	@echo "== clients"; Tests/Clients/clients.sh

test-model: ## search the model of the caches' protocol, and break its every step
	@echo "== model"; Tests/Model/model.sh

test-film: ## films of pagetool in a browser, headless Chromium (FILMS="more traces")
	@echo "== film"; $(prepare); $(pagetool); \
	Tests/Browser/film.sh .build/release/pagetool $(films) $(FILMS)

# What hangs on the state of an arena that never ends looks leaked: LeakSanitizer does not look
# there.
sanitize: ## the checks under ThreadSanitizer and AddressSanitizer
	@$(prepare); for kind in thread address; do echo "== $$kind sanitizer"; \
	$(cross)/quietly.sh crosscheck swift build --product crosscheck --sanitize $$kind \
	  -Xswiftc -use-ld=lld --scratch-path .build/$$kind "$${flags[@]}"; \
	TSAN_OPTIONS=halt_on_error=1 ASAN_OPTIONS=detect_leaks=0 .build/$$kind/debug/crosscheck test; done

test-overcommit: ## as root: the checks where the kernel does not overcommit (changes the system)
	@$(prepare); $(cross)/crosscheck.sh embedded build; $(pagetool); \
	Tests/Overcommit/overcommit.sh .build/embedded/x86_64-unknown-linux-gnu/release/crosscheck \
	  .build/release/pagetool $(TRACE)

test-process: ## 33,000 threads; as root: arenas in control groups, filled to the end (makes groups)
	@echo "== process"; $(prepare); Tests/Process/threads.sh "$${flags[@]}"; \
	  Tests/Process/groups.sh "$${flags[@]}"

coverage: ## lines of the library that the checks run through; fails below 95 in 100
	@$(prepare); Tests/Coverage/coverage.sh

fuzz: ## feed every target with bytes for SECONDS each, from Tests/Corpus on
	@$(prepare); Tests/Fuzz/fuzz.sh $(SECONDS) "$${flags[@]}"

nightly: ## NIGHTLY random operations beside a model, from SEED
	@$(cross)/crosscheck.sh embedded build
	@time .build/embedded/x86_64-unknown-linux-gnu/release/crosscheck storm $(NIGHTLY) $(SEED)

mutants: ## break the library in MUTANTS places, one at a time: do the checks notice? (SEED)
	@Tests/Mutants/mutants.sh $(MUTANTS) $(SEED)

##@ Keep

docs: ## build the documentation, .build/docs/index.html, which opens from disk
	@echo "== documentation"; $(prepare); \
	$(cross)/quietly.sh PageAlloc swift build --target PageAlloc "$${flags[@]}"; Tests/Docs/site.sh

docs-pictures: ## draw the pictures of README and the documentation anew
	@$(prepare); $(pagetool); Tests/Docs/pictures.sh

docs-serve: docs ## the same, at http://localhost:8000, until interrupted
	@cd .build/docs; echo "http://localhost:8000"; python3 -m http.server --bind localhost 8000

lint: ## swift format, strictly
	@swift format lint --strict --recursive $(sources)

format: ## let swift format rewrite the sources
	@swift format --in-place --recursive $(sources)

clean: ## remove everything built, and the packages unpacked for it
	@rm -rf .build .build-* Benchmarks/.build

.PHONY: help build run check docs docs-serve docs-pictures bench bench-all bench-quick bench-plots \
  bench-i386 bench-gate lint format clean \
  examples lib-c install test test-ladder test-x86_64 test-compile test-docs test-references \
  test-two-copies test-malloc test-metrics test-c-door test-clients test-model test-consumer \
  test-overcommit test-film test-process sanitize coverage fuzz nightly mutants \
  $(foreach target,$(targets),build-$(target) test-$(target) check-$(target) lib-c-$(target) \
  test-c-door-$(target))
