/* Drives the functions of pagealloc.h by bytes, on an arena or on a pool, beside a model of every
 * run and page: any bytes are legal. With FUZZER, what libFuzzer calls (Tests/Fuzz/fuzz.sh). Else a
 * program:
 *
 *     fuzz [emulated] FILE...     runs inputs, and then random ones; the last line is
 *                                 `N passed, N failed` */
#define _DEFAULT_SOURCE
#include "pagealloc.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { RUNS = 24, PAGES = 48, PLACES = 8 };

typedef struct {
  char *start; /* NULL where there is no run */
  size_t pages;
  unsigned char access[PAGES], byte[PAGES], advised[PAGES];
} run;

static struct {
  const uint8_t *next, *end;
  pa_arena *arena;
  pa_cache *cache;
  pa_pool *pool; /* in place of the two above */
  int is_limited;
  const run *asking; /* what a request is about: not a limit's handler's */
  run runs[RUNS];
  size_t pages;                /* of all runs */
  char *places[PLACES];        /* where something was freed */
  unsigned stamp;
} fuzz;

static int is_emulated;

static void require(int holds, const char *claim, int line) {
  if (holds) return;
  fprintf(stderr, "fuzz.c:%d: %s\n", line, claim);
  abort();
}
#define REQUIRE(claim) require((claim) != 0, #claim, __LINE__)

/* What an arena and a pool have by the same name. */
#define CALL(name, ...) \
  (fuzz.pool ? pa_pool_##name(fuzz.pool, __VA_ARGS__) : pa_##name(fuzz.arena, __VA_ARGS__))

static unsigned byte(void) { return fuzz.next < fuzz.end ? *fuzz.next++ : 0; }
static size_t below(size_t count) { return (byte() << 8 | byte()) % count; }
static char *page(char *start, size_t index) { return start + index * PA_PAGE_SIZE; }

/* ---- The model */

/* Writes to the pages of a part that may be written to. */
static void stamp(run *its, size_t first, size_t pages) {
  const unsigned char value = (unsigned char)(++fuzz.stamp % 251 + 1);
  for (size_t i = first; i < first + pages; i++) {
    if (its->access[i] != PA_ACCESS_READ_WRITE) continue;
    its->byte[i] = value;
    *page(its->start, i) = *(page(its->start, i + 1) - 1) = (char)value;
  }
}

static void check_contents(const run *its) {
  for (size_t i = 0; i < its->pages; i++) {
    if (its->access[i] == PA_ACCESS_NONE) continue;
    REQUIRE((unsigned char)*page(its->start, i) == its->byte[i]);
    REQUIRE((unsigned char)*(page(its->start, i + 1) - 1) == its->byte[i]);
  }
}

static void check_zero(const char *start, size_t pages) {
  for (size_t i = 0; i < pages * PA_PAGE_SIZE; i += 256) REQUIRE(start[i] == 0);
}

static run *room(void) {
  for (int i = 0; i < RUNS; i++) {
    if (!fuzz.runs[i].start) return &fuzz.runs[i];
  }
  return NULL;
}

static run *any(void) {
  const size_t first = below(RUNS);
  for (size_t i = 0; i < RUNS; i++) {
    if (fuzz.runs[(first + i) % RUNS].start) return &fuzz.runs[(first + i) % RUNS];
  }
  return NULL;
}

/* Nobody else has the pages. */
static void check_apart(const char *start, size_t pages) {
  for (int i = 0; i < RUNS; i++) {
    const run *other = &fuzz.runs[i];
    REQUIRE(!other->start || start >= other->start + other->pages * PA_PAGE_SIZE ||
            other->start >= start + pages * PA_PAGE_SIZE);
  }
}

static void begin(run *its, char *start, size_t pages) {
  REQUIRE((uintptr_t)start % PA_PAGE_SIZE == 0);
  check_apart(start, pages);
  its->start = start;
  its->pages = pages;
  fuzz.pages += pages;
  memset(its->access, PA_ACCESS_READ_WRITE, sizeof its->access);
  memset(its->advised, 0, sizeof its->advised);
  stamp(its, 0, pages);
}

static int is_plain(const run *its) {
  for (size_t i = 0; i < its->pages; i++) {
    if (its->access[i] != PA_ACCESS_READ_WRITE || its->advised[i]) return 0;
  }
  return 1;
}

/* A part of a run has gone: what is left are runs of their own. */
static void cut(run *its, size_t first, size_t pages) {
  const run before = *its;
  fuzz.places[fuzz.stamp % PLACES] = page(its->start, first);
  fuzz.pages -= pages;
  its->start = NULL;
  if (first > 0) {
    *its = before;
    its->pages = first;
  }
  const size_t rest = first + pages;
  if (rest == before.pages) return;
  run *behind = room();
  REQUIRE(behind != NULL);
  behind->start = page(before.start, rest);
  behind->pages = before.pages - rest;
  memcpy(behind->access, before.access + rest, behind->pages);
  memcpy(behind->advised, before.advised + rest, behind->pages);
  memcpy(behind->byte, before.byte + rest, behind->pages);
}

/* ---- What a pool has not by itself */

static char *take_at_hand(size_t pages, pa_status *status) {
  return fuzz.pool ? pa_pool_alloc(fuzz.pool, pages, status)
                   : pa_cache_alloc(fuzz.cache, pages, status);
}

static char *take_aligned(size_t pages, size_t alignment, pa_status *status) {
  return fuzz.pool ? pa_pool_alloc_with(fuzz.pool, pages, alignment, 0, NULL, status)
                   : pa_alloc_aligned(fuzz.arena, pages, alignment, status);
}

static char *take_zeroed(size_t pages, bool *is_zero, pa_status *status) {
  if (fuzz.pool) {
    return pa_pool_alloc_with(fuzz.pool, pages, PA_PAGE_SIZE, PA_ZEROED, is_zero, status);
  }
  *is_zero = true;
  return pa_alloc_zeroed(fuzz.arena, pages, status);
}

static pa_status give_at_hand(char *start, size_t pages) {
  return fuzz.pool ? pa_pool_free(fuzz.pool, start, pages)
                   : pa_cache_free(fuzz.cache, start, pages);
}

/* What a program does before its limit refuses it something: gives up a run. */
static int on_limit(void *context, size_t pages) {
  REQUIRE(context == &fuzz && pages > 0);
  for (int i = 0; i < RUNS; i++) {
    run *its = &fuzz.runs[i];
    if (!its->start || its == fuzz.asking) continue;
    check_contents(its);
    REQUIRE(CALL(free, its->start, its->pages) == PA_OK);
    cut(its, 0, its->pages);
    return 1;
  }
  return 0;
}

/* ---- The steps */

static void step_allocate(void) {
  const size_t pages = below(PAGES) + 1;
  const size_t alignment = (size_t)PA_PAGE_SIZE << byte() % 6;
  run *its = room();
  if (!its) return;
  pa_status status = -1;
  char *start = NULL;
  bool is_zero = false;
  switch (byte() % 5) {
    case 0: start = CALL(alloc, pages, &status); break;
    case 1: start = take_at_hand(pages, &status); break;
    case 2: start = take_zeroed(pages, &is_zero, &status); break;
    case 3:
      start = take_aligned(pages, alignment, &status);
      REQUIRE((uintptr_t)start % alignment == 0);
      break;
    default:
      start = CALL(alloc_with, pages, alignment, byte() % 2, &is_zero, &status);
      REQUIRE((uintptr_t)start % alignment == 0);
  }
  REQUIRE((start != NULL) == (status == PA_OK));
  REQUIRE(start || (fuzz.is_limited && status == PA_LIMIT_REACHED));
  if (!start) return;
  if (is_zero) check_zero(start, pages);
  begin(its, start, pages);
}

static void step_allocate_at(void) {
  char *place = fuzz.places[byte() % PLACES];
  const size_t pages = below(PAGES) + 1;
  run *its = room();
  if (!its || !place) return;
  const pa_status status = CALL(alloc_at, place, pages, PA_ZEROED);
  if (status != PA_OK) return;
  check_zero(place, pages);
  begin(its, place, pages);
}

static void step_free(void) {
  run *its = any();
  if (!its) return;
  check_contents(its);
  pa_status status;
  switch (byte() % 5) {
    case 0: status = CALL(free, its->start, its->pages); break;
    case 1: status = give_at_hand(its->start, its->pages); break;
    case 2: status = CALL(free_run, its->start); break;
    case 3: status = CALL(free_range, its->start, its->pages); break;
    default: status = CALL(free_discarded, its->start, its->pages);
  }
  REQUIRE(status == PA_OK);
  char *start = its->start;
  const size_t pages = its->pages;
  cut(its, 0, pages);
  REQUIRE(CALL(free, start, pages) == PA_NOT_IN_USE);
  REQUIRE(CALL(free_run, start) == PA_NOT_A_START);
}

static void step_free_part(void) {
  run *its = any();
  if (!its || !room()) return;
  const size_t first = below(its->pages), pages = below(its->pages - first) + 1;
  pa_status status;
  switch (byte() % 4) {
    case 0: status = CALL(free, page(its->start, first), pages); break;
    case 1: status = give_at_hand(page(its->start, first), pages); break;
    case 2: status = CALL(free_range, page(its->start, first), pages); break;
    default: status = CALL(free_discarded, page(its->start, first), pages);
  }
  REQUIRE(status == PA_OK);
  cut(its, first, pages);
}

static void step_resize(void) {
  run *its = any();
  if (!its) return;
  const size_t pages = below(PAGES) + 1, before = its->pages;
  const int extends = byte() % 2, is_special = !is_plain(its);
  fuzz.asking = its;
  check_contents(its);
  pa_status status = -1;
  char *moved = its->start;
  if (extends) {
    status = CALL(extend, its->start, pages, PA_ZEROED);
  } else {
    moved = CALL(resize, its->start, pages, PA_ZEROED, &status);
  }
  if (is_special) REQUIRE(status == PA_NOT_PLAIN);
  if (status != PA_OK) {
    REQUIRE(is_special || (extends && status == PA_NOT_FREE) ||
            (fuzz.is_limited && status == PA_LIMIT_REACHED));
    return;
  }
  if (extends && pages <= before) return;
  its->start = NULL;
  check_apart(moved, pages);
  its->start = moved;
  its->pages = pages < before ? pages : before;
  check_contents(its);
  fuzz.pages += pages - before;
  its->pages = pages;
  if (pages <= before) return;
  check_zero(page(moved, before), pages - before);
  memset(its->access + before, PA_ACCESS_READ_WRITE, pages - before);
  memset(its->advised + before, 0, pages - before);
  stamp(its, before, pages - before);
}

static void step_contents(void) {
  run *its = any();
  if (!its) return;
  const size_t first = below(its->pages), pages = below(its->pages - first) + 1;
  if (byte() % 2) {
    REQUIRE(CALL(discard, page(its->start, first), pages) == PA_OK);
    memset(its->byte + first, 0, pages);
    check_contents(its);
  } else {
    const pa_status status = CALL(purge_lazy, page(its->start, first), pages);
    REQUIRE(is_plain(its) ? status == PA_OK : status == PA_NOT_PLAIN);
  }
  stamp(its, first, pages);
}

static void step_access(void) {
  run *its = any();
  if (!its || fuzz.pool) return;
  const size_t first = below(its->pages), pages = below(its->pages - first) + 1;
  const int kind = byte() % 7;
  fuzz.asking = its;
  char *start = page(its->start, first);
  pa_status status;
  if (kind >= 5) {
    status = pa_advise_huge_pages(fuzz.arena, start, pages,
                                  kind == 5 ? PA_HUGE_PAGES_PREFER : PA_HUGE_PAGES_AVOID);
    /* The kernel may not know the call. */
    REQUIRE(status == PA_OK || status >= PA_SYSTEM);
    if (status == PA_OK) memset(its->advised + first, 1, pages);
    check_contents(its);
    return;
  }
  switch (kind) {
    case 3: status = pa_decommit(fuzz.arena, start, pages); break;
    case 4: status = pa_commit(fuzz.arena, start, pages); break;
    default: status = pa_protect(fuzz.arena, start, pages, (uint32_t)kind);
  }
  const int access = kind == 3 ? PA_ACCESS_NONE : kind == 4 ? PA_ACCESS_READ_WRITE : kind;
  if (status == PA_LIMIT_REACHED && fuzz.is_limited && access != PA_ACCESS_NONE) {
    /* Some of it may have changed. */
    REQUIRE(pa_decommit(fuzz.arena, start, pages) == PA_OK);
    memset(its->access + first, PA_ACCESS_NONE, pages);
    memset(its->byte + first, 0, pages);
    return;
  }
  REQUIRE(status == PA_OK);
  memset(its->access + first, access, pages);
  if (kind == 3) memset(its->byte + first, 0, pages);
  check_contents(its);
  stamp(its, first, pages);
}

/* What is no run is refused by every call. */
static void step_mistake(void) {
  run *its = any();
  if (!its) return;
  static const size_t bad[] = {0, PAGES + 1000, (size_t)1 << 19, SIZE_MAX / 2, SIZE_MAX};
  char *start = its->start;
  size_t pages = its->pages + 1;
  fuzz.asking = its;
  switch (byte() % 6) {
    case 0: start += byte() % 255 + 1; break;
    case 1: start += 4096; break;
    case 2: pages = bad[byte() % 5]; break;
    case 3: start = (char *)&fuzz; break;
    case 4: start = (char *)(UINTPTR_MAX & ~(uintptr_t)8191); break;
    default: pages = its->pages + 1 + byte();
  }
  switch (byte() % (fuzz.pool ? 5 : 9)) {
    case 0: REQUIRE(CALL(free, start, pages) != PA_OK); break;
    case 1: REQUIRE(give_at_hand(start, pages) != PA_OK); break;
    case 2: REQUIRE(CALL(alloc_at, start, pages, 0) != PA_OK); break;
    case 3: if (start != its->start) REQUIRE(CALL(free_run, start) != PA_OK); break;
    case 4: if (start != its->start) REQUIRE(CALL(extend, start, pages, 0) != PA_OK); break;
    case 5: REQUIRE(pa_protect(fuzz.arena, start, pages, PA_ACCESS_READ) != PA_OK); break;
    case 6: REQUIRE(pa_decommit(fuzz.arena, start, pages) != PA_OK); break;
    case 7:
      REQUIRE(pa_advise_huge_pages(fuzz.arena, start, pages, PA_HUGE_PAGES_PREFER) != PA_OK);
      break;
    default: REQUIRE(pa_commit(fuzz.arena, start, pages) != PA_OK);
  }
}

static void step_find(void) {
  run *its = any();
  if (!its) return;
  pa_run found;
  found.size = sizeof found;
  char *inside = its->start + below(its->pages) * PA_PAGE_SIZE + below(PA_PAGE_SIZE);
  if (fuzz.pool) {
    REQUIRE(pa_pool_find(fuzz.pool, inside, &found) == PA_OK);
  } else {
    REQUIRE(pa_find(byte() % 2 ? fuzz.arena : NULL, inside, &found) == PA_OK);
  }
  REQUIRE(found.start == its->start && found.pages == its->pages && found.arena == fuzz.arena);
}

static void step_return(void) {
  char text[4096];
  switch (byte() % 8) {
    case 0: REQUIRE(CALL(release, below(1 << 16) << 8, NULL) == PA_OK); break;
    case 1: REQUIRE(CALL(release_all, NULL) == PA_OK); break;
    case 2: REQUIRE(CALL(release_lazy, NULL) == PA_OK); break;
    case 3: REQUIRE(CALL(scavenge_step, NULL) == PA_OK); break;
    case 4: REQUIRE(CALL(statistics_json, text, sizeof text, NULL) == PA_OK); break;
    case 5:
      if (fuzz.pool) break;
      pa_cache_destroy(fuzz.cache);
      REQUIRE(pa_cache_create(fuzz.arena, &fuzz.cache) == PA_OK);
      break;
    case 6:
      if (!fuzz.pool) break;
      REQUIRE(pa_pool_fork_prepare(fuzz.pool) == PA_OK);
      REQUIRE(pa_pool_fork_parent(fuzz.pool) == PA_OK);
      break;
    default:
      if (fuzz.pool) break;
      REQUIRE(pa_fork_prepare(fuzz.arena) == PA_OK && pa_fork_parent(fuzz.arena) == PA_OK);
  }
}

/* ---- An input */

/* unseen: of what a handle takes and gives, how much may not have been told of. */
static void check_figures(uint64_t unseen) {
  pa_statistics now;
  now.size = sizeof now;
  REQUIRE(CALL(get_statistics, &now) == PA_OK);
  REQUIRE(now.in_use_bytes + unseen >= fuzz.pages * PA_PAGE_SIZE);
  REQUIRE(now.in_use_bytes <= fuzz.pages * PA_PAGE_SIZE + unseen);
  REQUIRE(now.in_use_bytes + now.free_maybe_resident_bytes + now.scavenged_bytes ==
          now.ready_bytes);
}

static void run_input(const uint8_t *bytes, size_t count) {
  static void (*const steps[])(void) = {
      step_allocate, step_allocate, step_allocate, step_allocate_at, step_free,
      step_free_part, step_resize, step_contents, step_access, step_access,
      step_mistake, step_find, step_return};
  memset(&fuzz, 0, sizeof fuzz);
  fuzz.next = bytes;
  fuzz.end = bytes + count;
  const unsigned kind = byte();
  pa_options options = PA_OPTIONS_INIT;
  options.reserve_bytes = 64 << 20;
  options.huge_pages = PA_HUGE_PAGES_AVOID;
  if (kind & 1) options.thread_cache_bytes = PA_NONE;
  fuzz.is_limited = (kind & 2) != 0;
  if (fuzz.is_limited) options.hard_limit_bytes = 2 << 20;
  if (kind & 4) options.flags = PA_FORK_MANUAL;
  if (kind & 8) {
    /* As much as there is of it on every host; an emulator keeps something of each page. */
    if (!is_emulated) options.reserve_bytes = 0;
    REQUIRE(pa_pool_create(&options, &fuzz.pool) == PA_OK);
  } else {
    REQUIRE(pa_create(&options, &fuzz.arena) == PA_OK);
    REQUIRE(pa_cache_create(fuzz.arena, &fuzz.cache) == PA_OK);
  }
  if (kind & 16) REQUIRE(CALL(on_limit, on_limit, &fuzz) == PA_OK);
  while (fuzz.next < fuzz.end) {
    steps[byte() % (sizeof steps / sizeof *steps)]();
    fuzz.asking = NULL;
    check_figures(3 << 20);
  }
  for (int i = 0; i < RUNS; i++) {
    if (!fuzz.runs[i].start) continue;
    check_contents(&fuzz.runs[i]);
    REQUIRE(CALL(free, fuzz.runs[i].start, fuzz.runs[i].pages) == PA_OK);
    fuzz.pages -= fuzz.runs[i].pages;
    fuzz.runs[i].start = NULL;
  }
  pa_cache_destroy(fuzz.cache);
  check_figures(0);
  pa_destroy(fuzz.arena);
  pa_pool_destroy(fuzz.pool);
}

#ifdef FUZZER
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count);
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count) {
  run_input(bytes, count);
  return 0;
}
#else
int main(int count, char **words) {
  static uint8_t bytes[4096];
  int passed = 0;
  if (sysconf(_SC_PAGESIZE) <= PA_PAGE_SIZE) {
    is_emulated = count > 1 && strcmp(words[1], "emulated") == 0;
    for (int i = 1 + is_emulated; i < count; i++) {
      FILE *file = fopen(words[i], "rb");
      REQUIRE(file != NULL);
      run_input(bytes, fread(bytes, 1, sizeof bytes, file));
      (void)fclose(file);
      passed++;
    }
    uint64_t random = 1;
    for (int i = 0; i < 300; i++) {
      for (size_t j = 0; j < sizeof bytes; j++) {
        random = random * UINT64_C(6364136223846793005) + 1442695040888963407u;
        bytes[j] = (uint8_t)(random >> 56);
      }
      run_input(bytes, sizeof bytes);
      passed++;
    }
  }
  printf("%d passed, 0 failed\n", passed);
  return 0;
}
#endif
