/* Meets every function of pagealloc.h with good and bad values of each of its parameters, in all
 * combinations. What is to come of each call is told by rules that look at the arguments alone: for
 * every function an `expect_...`. Where all arguments are good the call succeeds. Else it says what
 * one of the bad ones explains, and nothing has changed: no figure, no run, no contents, no result.
 *
 * The rows, which say what parameters a function has, are made from the header (sweep-rows.sh): a
 * function or a parameter that is not known here does not compile.
 *
 * With an argument: an emulator, where one kind of arena must do. The last line is
 * `N passed, N failed`. */
#define _DEFAULT_SOURCE
#include "pagealloc.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---- What is looked at: an arena and what it has, a pool with the same runs, another arena, and a
 * region
 *
 *   page   0 ... 7   8 ... 11   12 ... 15   16, 17   18, 19      20, 21        22, 23   24 ... 63
 *          run 1     free       run 2       run 3 -- read only - decommitted - ---      run 4
 *
 *          A pool has no access rights: run 3 is as the others there.
 *
 *   byte   0 ... 16383   16384 ... 24575   24576 ... 65535   65536 ... 1 MiB
 *          memory        a hole            memory            not grown to */

enum { PAGES = 64, FREE = 8, SECOND = 12, APART = 16, READ_ONLY = 18, GONE = 20, FOURTH = 24 };
enum { HOLE = 16384, HOLE_END = 24576, SIZE = 65536, RESERVE = 1 << 20 };
/* The longest run that an arena could have, with 4 GiB of address space. These have 64 MiB. */
enum { LIMIT = 1022 * 512, ROOM = 8192 };
/* So many pages from page 0 on may be more than the arena has grown to. */
enum { REACH = 448 };

static struct {
  pa_options options;
  pa_arena *arena, *other;
  pa_cache *cache;
  pa_region *region;
  pa_pool *pool;
  char *arena_base, *pool_base, *elsewhere, *start;
  /* Whether the function that is swept is a pool's; and where page 0 is then. */
  int is_pool;
  char *base;
  int is_emulated;
} world;

/* The run that a page is of; 0 for none. */
static size_t run_of(size_t page) {
  return page < FREE ? 1 : page < SECOND ? 0 : page < APART ? 2 : page < FOURTH ? 3 : 4;
}
static const size_t starts[] = {0, 0, SECOND, APART, FOURTH};
static const size_t ends[] = {0, FREE, APART, FOURTH, PAGES};

static void insist(int holds, const char *claim) {
  if (holds) return;
  printf("FAILED: sweep.c: %s\n0 passed, 1 failed\n", claim);
  exit(1);
}
#define INSIST(claim) insist((claim) != 0, #claim)

static char *page(size_t index) { return world.base + index * PA_PAGE_SIZE; }

/* Takes the runs, in an arena or a pool. */
static char *build_runs(int in_pool) {
  char *base = in_pool ? pa_pool_alloc(world.pool, PAGES, NULL)
                       : pa_alloc(world.arena, PAGES, NULL);
  INSIST(base);
  memset(base, 3, PAGES * PA_PAGE_SIZE);
  /* A part that is freed and taken again is a run of its own. */
  for (int step = 0; step < 2; step++) {
    for (size_t run = 0; run <= 4; run++) {
      if (run == 1 || (run == 0 && step == 1)) continue;
      char *first = base + (run ? starts[run] : FREE) * PA_PAGE_SIZE;
      const size_t pages = run ? ends[run] - starts[run] : SECOND - FREE;
      if (step == 0) {
        INSIST((in_pool ? pa_pool_free(world.pool, first, pages)
                        : pa_free(world.arena, first, pages)) == PA_OK);
      } else {
        INSIST((in_pool ? pa_pool_alloc_at(world.pool, first, pages, 0)
                        : pa_alloc_at(world.arena, first, pages, 0)) == PA_OK);
        memset(first, 3, pages * PA_PAGE_SIZE);
      }
    }
  }
  return base;
}

/* Which runs those are that the addresses are about. */
static void look_at(int is_pool) {
  world.is_pool = is_pool;
  world.base = is_pool ? world.pool_base : world.arena_base;
}

static void build(void) {
  pa_options options = world.options;
  INSIST(pa_create(&options, &world.arena) == PA_OK);
  INSIST(pa_create(&options, &world.other) == PA_OK);
  /* Two arenas; on a 32-bit host and on an emulator, which keeps something of each page, one. */
  if (sizeof(void *) == 8 && !world.is_emulated) options.reserve_bytes = (uint64_t)8 << 30;
  INSIST(pa_pool_create(&options, &world.pool) == PA_OK);
  INSIST(pa_cache_create(world.arena, &world.cache) == PA_OK);
  world.elsewhere = pa_alloc(world.other, 4, NULL);
  INSIST(world.elsewhere);
  world.pool_base = build_runs(1);
  world.arena_base = build_runs(0);
  look_at(world.is_pool);
  char *const apart = world.arena_base;
  INSIST(pa_protect(world.arena, apart + READ_ONLY * PA_PAGE_SIZE, 2, PA_ACCESS_READ) == PA_OK);
  INSIST(pa_decommit(world.arena, apart + GONE * PA_PAGE_SIZE, 2) == PA_OK);
  INSIST(pa_region_create(RESERVE, 0, 0, &world.region) == PA_OK);
  INSIST(pa_region_grow(world.region, SIZE) == PA_OK);
  world.start = pa_region_start(world.region);
  memset(world.start, 4, SIZE);
  INSIST(pa_region_decommit(world.region, HOLE, HOLE_END - HOLE) == PA_OK);
}

static void tear_down(void) {
  pa_cache_destroy(world.cache);
  pa_destroy(world.arena);
  pa_destroy(world.other);
  pa_pool_destroy(world.pool);
  pa_region_destroy(world.region);
}

/* Whether the runs are as they were built. */
static int has_runs(const char *base, int in_pool) {
  pa_run found;
  found.size = sizeof found;
  for (size_t i = 0; i < PAGES; i++) {
    const size_t run = run_of(i);
    const char *bytes = base + i * PA_PAGE_SIZE;
    const pa_status status = in_pool ? pa_pool_find(world.pool, bytes, &found)
                                     : pa_find(world.arena, bytes, &found);
    if (run == 0) {
      if (status != PA_NOT_IN_USE) return 0;
      continue;
    }
    if (status != PA_OK || found.start != base + starts[run] * PA_PAGE_SIZE) return 0;
    if (found.pages != ends[run] - starts[run]) return 0;
    if (found.arena != (in_pool ? NULL : world.arena)) return 0;
    if (!in_pool && i >= GONE && i < GONE + 2) continue;
    if (bytes[0] != 3 || bytes[PA_PAGE_SIZE - 1] != 3) return 0;
  }
  return 1;
}

/* Whether all of it is as it was built. */
static int is_whole(void) {
  for (size_t i = 0; i < SIZE; i += 4096) {
    if ((i < HOLE || i >= HOLE_END) && world.start[i] != 4) return 0;
  }
  return has_runs(world.arena_base, 0) && has_runs(world.pool_base, 1) &&
         pa_region_size(world.region) == SIZE &&
         pa_region_committed(world.region) == SIZE - (HOLE_END - HOLE);
}

/* ---- Arguments: for each parameter, the values that it is met with */

enum { ROOMY = 4096, FILL = 0x5a };

typedef struct {
  /* Results lie first, in bytes that must not change where there is none. */
  union {
    char bytes[ROOMY];
    pa_run run;
    pa_statistics statistics;
  } big;
  union {
    char bytes[8];
    uint64_t number;
    size_t size;
    void *pointer;
    pa_arena *arena;
    pa_cache *cache;
    pa_region *region;
    pa_pool *pool;
    pa_status status;
    bool is_zero;
  } cell, cell2, status_cell;

  pa_arena *arena;
  pa_cache *cache;
  pa_region *region;
  pa_pool *pool;
  pa_arena **arena_at;
  pa_cache **cache_at;
  pa_region **region_at;
  pa_pool **pool_at;
  pa_status status, *status_at;
  const pa_options *options_at;
  size_t option;
  void *first, *run;
  const void *address;
  char *buffer;
  size_t pages, alignment, capacity, *length_at;
  size_t reserve_bytes, guard_bytes, bytes, offset;
  uint32_t flags, access, advice, told_size;
  bool *is_zero_at;
  uint64_t bytes64, soft_bytes64, hard_bytes64;
  uint64_t *bytes_at, *released_at, *offered_at, *nanoseconds_at, *gathered_at;
  uint64_t *soft_bytes_at, *hard_bytes_at;
  double fraction;
  pa_limit_handler handler;
  void *context;
  pa_run *run_at;
  pa_statistics *statistics_at;

  uintptr_t got; /* what a function returned that is no status */
} arguments;

typedef struct {
  size_t count;
  void (*set)(arguments *a, size_t index);
} values;

#define COUNT(array) (sizeof(array) / sizeof *(array))

#define VALUES(member, type, ...)                                                                  \
  static const type member##_table[] = {__VA_ARGS__};                                              \
  static void set_##member(arguments *a, size_t index) { a->member = member##_table[index]; }      \
  static const values member##_values = {COUNT(member##_table), set_##member};

/* NULL, and something of the world's. */
#define HANDLES(member)                                                                            \
  static void set_##member(arguments *a, size_t index) {                                           \
    a->member = index == 0 ? NULL : world.member;                                                  \
  }                                                                                                \
  static const values member##_values = {2, set_##member};
HANDLES(arena)
HANDLES(cache)
HANDLES(region)
HANDLES(pool)

/* NULL, and where a result goes. */
#define RESULTS(member, place)                                                                     \
  static void set_##member(arguments *a, size_t index) {                                           \
    a->member = index == 0 ? NULL : &a->place;                                                     \
  }                                                                                                \
  static const values member##_values = {2, set_##member};
RESULTS(arena_at, cell.arena)
RESULTS(cache_at, cell.cache)
RESULTS(region_at, cell.region)
RESULTS(pool_at, cell.pool)
RESULTS(status_at, status_cell.status)
RESULTS(length_at, cell.size)
RESULTS(is_zero_at, cell.is_zero)
RESULTS(bytes_at, cell.number)
RESULTS(released_at, cell.number)
RESULTS(offered_at, cell.number)
RESULTS(nanoseconds_at, cell.number)
RESULTS(gathered_at, cell.number)
RESULTS(soft_bytes_at, cell.number)
RESULTS(hard_bytes_at, cell2.number)
RESULTS(buffer, big.bytes[0])

VALUES(pages, size_t, 0, 1, 2, 4, 5, 8, 12, 13, 40, 41, 511, 512, ROOM, LIMIT, LIMIT + 1,
       (size_t)1 << 19, SIZE_MAX / PA_PAGE_SIZE, SIZE_MAX / PA_PAGE_SIZE + 1,
       SIZE_MAX / PA_PAGE_SIZE + 2, SIZE_MAX / PA_PAGE_SIZE + 5, SIZE_MAX / 2, SIZE_MAX / 2 + 1,
       SIZE_MAX - 3, SIZE_MAX)
VALUES(alignment, size_t, 0, 1, 2, 3, 4096, 8191, 8192, 12288, 1 << 16, 1 << 21,
       (size_t)1 << 31, (size_t)((uint64_t)1 << 32), SIZE_MAX / 4 + 1, SIZE_MAX / 2,
       SIZE_MAX / 2 + 1, SIZE_MAX)
VALUES(flags, uint32_t, 0, 1, 2, 3, (uint32_t)1 << 31, UINT32_MAX)
VALUES(access, uint32_t, 0, 1, 2, 3, 4, 5, (uint32_t)1 << 31, UINT32_MAX)
VALUES(advice, uint32_t, 0, 1, 2, 3, 4, (uint32_t)1 << 31, UINT32_MAX)
VALUES(status, pa_status, PA_OK, PA_BAD_ARGUMENT, PA_REENTERED, PA_REENTERED + 1, -1, 31,
       PA_TRUNCATED, PA_TRUNCATED + 1, PA_SYSTEM - 1, PA_SYSTEM, PA_SYSTEM + 12, INT32_MAX,
       INT32_MIN)
VALUES(capacity, size_t, 0, 1, 2, 20, ROOMY - 64, SIZE_MAX / 2, SIZE_MAX / 2 + 1, SIZE_MAX)
VALUES(reserve_bytes, size_t, 0, 1, 4095, 4096, 4097, RESERVE, SIZE_MAX / 2, SIZE_MAX / 2 + 1,
       SIZE_MAX - 8191, SIZE_MAX - 4095, SIZE_MAX)
VALUES(guard_bytes, size_t, 0, 1, 4096, 4097, RESERVE, SIZE_MAX / 2, SIZE_MAX / 2 + 1,
       SIZE_MAX - 8191, SIZE_MAX - 4095, SIZE_MAX)
VALUES(bytes, size_t, 0, 1, 4095, 4096, 8192, HOLE, SIZE - 4096, SIZE, SIZE + 1, SIZE + 4096,
       RESERVE, RESERVE + 1, RESERVE + 4096, SIZE_MAX / 2, SIZE_MAX / 2 + 1, SIZE_MAX - 4095,
       SIZE_MAX)
VALUES(offset, size_t, 0, 1, 4096, HOLE, HOLE_END, SIZE - 4096, SIZE, SIZE + 4096, RESERVE,
       SIZE_MAX / 2, SIZE_MAX / 2 + 1, SIZE_MAX - 4095, SIZE_MAX)
VALUES(bytes64, uint64_t, 0, 1, PA_PAGE_SIZE, INT32_MAX, (uint64_t)INT32_MAX + 1, INT64_MAX,
       (uint64_t)INT64_MAX + 1, UINT64_MAX)
VALUES(soft_bytes64, uint64_t, 0, 1, 4096, 64 << 20, INT64_MAX, (uint64_t)INT64_MAX + 1, UINT64_MAX)
VALUES(hard_bytes64, uint64_t, 0, 1, 4096, 64 << 20, INT64_MAX, (uint64_t)INT64_MAX + 1, UINT64_MAX)
VALUES(fraction, double, 0, -0.0, 0.5, 1, -1, 1.5, DBL_MIN, DBL_MAX, NAN, INFINITY, -INFINITY)

typedef void *anything;
static int gives_nothing(void *context, size_t asked) { return (void)context, asked == 0; }
VALUES(handler, pa_limit_handler, NULL, gives_nothing)
VALUES(context, anything, NULL, (anything)1, &world)

/* ---- Addresses */

enum { ADDRESSES = 27 };
static void *address_of(size_t index) {
  static const size_t pages[] = {0, 3, 7, FREE, FREE + 3, SECOND, SECOND + 1, APART, APART + 1,
                                 READ_ONLY, GONE, GONE + 2, FOURTH, PAGES - 1,
                                 4096 /* in a chunk that was never grown to */};
  static char here[64];
  if (index < COUNT(pages)) return page(pages[index]);
  switch (index - COUNT(pages)) {
    case 0: return NULL;
    case 1: return (void *)1;
    case 2: return here;
    case 3: return page(0) + 1;
    case 4: return page(0) + 4096;
    case 5: return page(FREE) - 1;
    case 6: return world.elsewhere;
    case 7: return world.arena;
    case 8: return world.start;
    case 9: return world.is_pool ? world.arena_base : world.pool_base;
    case 10: return (void *)(UINTPTR_MAX & ~(uintptr_t)(PA_PAGE_SIZE - 1));
    default: return (void *)UINTPTR_MAX;
  }
}
#define AN_ADDRESS(member)                                                                         \
  static void set_##member(arguments *a, size_t index) { a->member = address_of(index); }          \
  static const values member##_values = {ADDRESSES, set_##member};
AN_ADDRESS(first)
AN_ADDRESS(run)
AN_ADDRESS(address)

/* ---- Structs */

static const uint32_t sizes[] = {0, 1, 4, 7, 8, 12, 15, 16, 17, 24, 32, 64, 1 << 8, ROOMY,
                                 ROOMY + 8, UINT32_MAX - 7, UINT32_MAX};
#define STRUCTS(member, place)                                                                     \
  static void set_##member(arguments *a, size_t index) {                                           \
    a->member = index == 0 ? NULL : &a->place;                                                     \
    if (index == 0) return;                                                                        \
    a->told_size = index <= COUNT(sizes) ? sizes[index - 1] : (uint32_t)sizeof *a->member;         \
    a->member->size = a->told_size;                                                                \
  }                                                                                                \
  static const values member##_values = {COUNT(sizes) + 2, set_##member};
STRUCTS(run_at, big.run)
STRUCTS(statistics_at, big.statistics)

/* ---- Rules */

/* A set of statuses: PA_SYSTEM + anything is the last. */
typedef uint64_t statuses;
static statuses one(pa_status status) {
  return (statuses)1 << (status >= PA_SYSTEM ? 63 : status & 63);
}

static statuses if_null(const void *pointer) { return pointer ? 0 : one(PA_BAD_ARGUMENT); }

static statuses bad_count(size_t pages) {
  return pages == 0 || pages > LIMIT ? one(PA_BAD_PAGE_COUNT) : 0;
}

static statuses bad_alignment(size_t bytes) {
  const int is_power = bytes != 0 && (bytes & (bytes - 1)) == 0;
  return is_power && bytes <= INT64_MAX >> 31 && bytes <= SIZE_MAX / 2 ? 0 : one(PA_BAD_ALIGNMENT);
}

static statuses bad_flags(uint32_t flags, uint32_t known) {
  return flags & ~known ? one(PA_BAD_ARGUMENT) : 0;
}

static int is_ours(const void *address) {
  return (uintptr_t)address - (uintptr_t)world.base < PAGES * PA_PAGE_SIZE;
}
static size_t index_of(const void *address) {
  return ((uintptr_t)address - (uintptr_t)world.base) / PA_PAGE_SIZE;
}

/* What an address is, where a page's is wanted. */
static statuses bad_address(const void *address) {
  if (!address) return one(PA_BAD_ARGUMENT);
  return (is_ours(address) ? 0 : one(PA_FOREIGN)) |
         ((uintptr_t)address % PA_PAGE_SIZE ? one(PA_MISALIGNED) : 0);
}

/* A range of pages in one run. */
static statuses bad_part(const void *first, size_t pages) {
  const statuses bad = bad_address(first) | bad_count(pages);
  if (bad) return bad;
  const size_t index = index_of(first), run = run_of(index);
  if (pages > REACH - index) return one(PA_FOREIGN) | one(run ? PA_PAST_END_OF_RUN : PA_NOT_IN_USE);
  if (run == 0) return one(PA_NOT_IN_USE);
  return pages > ends[run] - index ? one(PA_PAST_END_OF_RUN) : 0;
}

/* A range that runs fill. */
static statuses bad_range(const void *first, size_t pages) {
  const statuses bad = bad_address(first) | bad_count(pages);
  if (bad) return bad;
  /* That far there may be no address on a 32-bit host. */
  if (pages > ROOM) return one(PA_NOT_IN_USE) | one(PA_FOREIGN);
  for (size_t i = 0; i < pages; i++) {
    if (index_of(first) + i >= PAGES || !run_of(index_of(first) + i)) return one(PA_NOT_IN_USE);
  }
  return 0;
}

/* Whether pages of run 3 are among those, which are not plain. */
static int has_apart(const void *first, size_t pages) {
  const size_t index = index_of(first);
  return !world.is_pool && index < FOURTH && (index >= APART || pages > APART - index);
}

/* The start of a run. */
static statuses bad_start(const void *run) {
  const statuses bad = bad_address(run);
  if (bad) return bad;
  const size_t index = index_of(run);
  return run_of(index) && starts[run_of(index)] == index ? 0 : one(PA_NOT_A_START);
}

/* A range of a region's: of a part of it that it has grown to. */
static statuses bad_bytes(size_t offset, size_t bytes) {
  const size_t kernel = (size_t)sysconf(_SC_PAGESIZE);
  return (offset > SIZE || bytes > SIZE - offset ? one(PA_OUT_OF_BOUNDS) : 0) |
         (offset % kernel || bytes % kernel ? one(PA_PART_OF_KERNEL_PAGE) : 0);
}

static statuses bad_access(uint32_t access) {
  return access > PA_ACCESS_READ_WRITE_EXECUTE ? one(PA_BAD_ARGUMENT)
         : access == PA_ACCESS_READ_WRITE_EXECUTE ? one(PA_WRITABLE_CODE) : 0;
}

/* The size of a struct that is written to, which on a 32-bit host may end in the middle of 8. */
static statuses bad_size(uint32_t size) {
  const int is_size = size % 8 == 0 || size == sizeof(pa_run);
  return size >= 16 && size <= 4096 && is_size ? 0 : one(PA_BAD_SIZE);
}

/* What comes of a request: where nothing is wrong with it, pages or none. */
static statuses taken(statuses bad, size_t pages) {
  if (bad) return bad;
  if (pages < 1024) return one(PA_OK);
  /* A pool has arenas of 4 GiB, as far as the system commits so much. */
  return one(PA_OUT_OF_MEMORY) | (world.is_pool ? one(PA_OK) | one(PA_SYSTEM) : 0);
}
static statuses done(statuses bad) { return bad ? bad : one(PA_OK); }

/* What a function is about: an arena or a pool. */
static const void *holder(const arguments *a) {
  return world.is_pool ? (const void *)a->pool : (const void *)a->arena;
}

#define EXPECT(name) static statuses expect_##name(const arguments *a)
EXPECT(pa_strerror) { return (void)a, one(PA_OK); }
EXPECT(pa_errno) { return (void)a, one(PA_OK); }
EXPECT(pa_version) { return (void)a, one(PA_OK); }

/* Options, and why they are refused. */
typedef struct {
  pa_options known;
  uint64_t more[2];
} options;
static const struct {
  size_t offset, size;
  uint64_t value;
  double fraction;
  pa_status status;
} changes[] = {
#define FIELD(name) offsetof(options, known.name), sizeof ((options *)NULL)->known.name
  {FIELD(unused), 0, 0, PA_OK},
  {FIELD(size), 0, 0, PA_BAD_SIZE},
  {FIELD(size), 4, 0, PA_BAD_SIZE},
  {FIELD(size), 8, 0, PA_OK},
  {FIELD(size), 12, 0, PA_BAD_SIZE},
  {FIELD(size), 16, 0, PA_OK},
  {FIELD(size), sizeof(options), 0, PA_OK},
  {FIELD(size), 4104, 0, PA_BAD_SIZE},
  {FIELD(size), UINT32_MAX - 7, 0, PA_BAD_SIZE},
  {FIELD(size), UINT32_MAX, 0, PA_BAD_SIZE},
  {offsetof(options, more[0]), 8, 1, 0, PA_BAD_SIZE},
  {offsetof(options, more[1]), 8, (uint64_t)1 << 63, 0, PA_BAD_SIZE},
  {FIELD(flags), 16, 0, PA_BAD_ARGUMENT},
  {FIELD(flags), UINT32_MAX, 0, PA_BAD_ARGUMENT},
  {FIELD(flags), (uint32_t)1 << 31, 0, PA_BAD_ARGUMENT},
  {FIELD(unused), 1, 0, PA_BAD_ARGUMENT},
  {FIELD(scavenging), 3, 0, PA_BAD_ARGUMENT},
  {FIELD(scavenging), UINT32_MAX, 0, PA_BAD_ARGUMENT},
  {FIELD(huge_pages), 4, 0, PA_BAD_ARGUMENT},
  {FIELD(huge_pages), UINT32_MAX, 0, PA_BAD_ARGUMENT},
  {FIELD(diagnosis), 4, 0, PA_BAD_ARGUMENT},
  {FIELD(diagnosis), UINT32_MAX, 0, PA_BAD_ARGUMENT},
  {FIELD(reserve_bytes), 1, 0, PA_BAD_RESERVATION},
  {FIELD(reserve_bytes), (64 << 20) - 1, 0, PA_BAD_RESERVATION},
  {FIELD(reserve_bytes), 64 << 20, 0, PA_OK},
  {FIELD(reserve_bytes), ((uint64_t)4 << 30) + 1, 0, PA_BAD_RESERVATION},
  {FIELD(reserve_bytes), INT64_MAX, 0, PA_BAD_RESERVATION},
  {FIELD(reserve_bytes), UINT64_MAX, 0, PA_BAD_RESERVATION},
  {FIELD(thread_cache_bytes), 1, 0, PA_OK},
  {FIELD(thread_cache_bytes), INT64_MAX, 0, PA_OK},
  {FIELD(thread_cache_bytes), (uint64_t)INT64_MAX + 1, 0, PA_OK},
  {FIELD(thread_cache_bytes), UINT64_MAX, 0, PA_OK},
  {FIELD(soft_limit_bytes), 1, 0, PA_OK},
  {FIELD(soft_limit_bytes), UINT64_MAX, 0, PA_OK},
  {FIELD(hard_limit_bytes), 1, 0, PA_OK},
  {FIELD(hard_limit_bytes), UINT64_MAX, 0, PA_OK},
  {FIELD(group_fraction), 0, -1, PA_BAD_MEMORY_LIMIT},
  {FIELD(group_fraction), 0, 1.01, PA_BAD_MEMORY_LIMIT},
  {FIELD(group_fraction), 0, NAN, PA_BAD_MEMORY_LIMIT},
  {FIELD(group_fraction), 0, INFINITY, PA_BAD_MEMORY_LIMIT},
  {FIELD(group_fraction), 0, 0.5, PA_OK},
  {FIELD(headroom), 0, -1, PA_BAD_SCAVENGING},
  {FIELD(headroom), 0, 16.5, PA_BAD_SCAVENGING},
  {FIELD(headroom), 0, NAN, PA_BAD_SCAVENGING},
  {FIELD(headroom), 0, INFINITY, PA_BAD_SCAVENGING},
  {FIELD(headroom), 0, 16, PA_OK},
  {FIELD(cpu_share), 0, -1, PA_BAD_SCAVENGING},
  {FIELD(cpu_share), 0, 1.01, PA_BAD_SCAVENGING},
  {FIELD(cpu_share), 0, NAN, PA_BAD_SCAVENGING},
  {FIELD(cpu_share), 0, -INFINITY, PA_BAD_SCAVENGING},
  {FIELD(cpu_share), 0, 1, PA_OK},
};
static void set_options_at(arguments *a, size_t index) {
  a->options_at = NULL;
  a->option = index;
  if (index == COUNT(changes)) return;
  options *told = (options *)(void *)(a->big.bytes + ROOMY / 2);
  memset(told, 0, sizeof *told);
  told->known.size = (uint32_t)sizeof(options);
  char *const field = (char *)told + changes[index].offset;
  if (changes[index].fraction != 0) {
    memcpy(field, &changes[index].fraction, sizeof(double));
  } else if (changes[index].size == sizeof(uint32_t)) {
    const uint32_t value = (uint32_t)changes[index].value;
    memcpy(field, &value, sizeof value);
  } else {
    memcpy(field, &changes[index].value, sizeof(uint64_t));
  }
  a->options_at = &told->known;
}
static const values options_at_values = {COUNT(changes) + 1, set_options_at};

EXPECT(pa_create) {
  const pa_status status = a->option < COUNT(changes) ? changes[a->option].status : PA_OK;
  return done(if_null(a->arena_at) | (status != PA_OK ? one(status) : 0));
}
EXPECT(pa_destroy) { return (void)a, one(PA_OK); }
EXPECT(pa_pool_create) {
  const uint64_t most = sizeof(void *) == 8 ? (uint64_t)64 << 40 : (uint64_t)4 << 30;
  pa_status status = a->option < COUNT(changes) ? changes[a->option].status : PA_OK;
  /* Any amount is rounded up. */
  if (status == PA_BAD_RESERVATION && changes[a->option].value <= most) status = PA_OK;
  return done(if_null(a->pool_at) | (status != PA_OK ? one(status) : 0));
}
EXPECT(pa_pool_destroy) { return (void)a, one(PA_OK); }

EXPECT(pa_alloc) { return taken(if_null(holder(a)) | bad_count(a->pages), a->pages); }
EXPECT(pa_alloc_zeroed) { return expect_pa_alloc(a); }
EXPECT(pa_alloc_aligned) {
  const statuses bad = if_null(holder(a)) | bad_count(a->pages) | bad_alignment(a->alignment);
  /* Whether the arena has such an address is chance. */
  return taken(bad, a->pages) |
         (!bad && a->alignment > 1 << 21 ? one(PA_OUT_OF_MEMORY) | one(PA_OK) : 0);
}
EXPECT(pa_alloc_with) {
  const statuses bad = bad_flags(a->flags, PA_ZEROED), others = expect_pa_alloc_aligned(a);
  return bad ? bad | (others & ~one(PA_OK) & ~one(PA_OUT_OF_MEMORY)) : others;
}
EXPECT(pa_alloc_at) {
  const statuses bad = if_null(holder(a)) | bad_flags(a->flags, PA_ZEROED) | bad_count(a->pages) |
                       bad_address(a->first);
  if (bad) return bad;
  const size_t index = index_of(a->first);
  if (a->pages > REACH - index) return one(PA_NOT_FREE) | one(PA_FOREIGN);
  return index < FREE || index + a->pages > SECOND ? one(PA_NOT_FREE) : one(PA_OK);
}

EXPECT(pa_free) { return done(if_null(holder(a)) | bad_part(a->first, a->pages)); }
EXPECT(pa_free_discarded) { return expect_pa_free(a); }
EXPECT(pa_free_run) { return done(if_null(holder(a)) | bad_start(a->run)); }
EXPECT(pa_free_range) { return done(if_null(holder(a)) | bad_range(a->first, a->pages)); }

/* A run that is to have another size. */
static statuses bad_growth(const arguments *a) {
  const statuses bad = bad_start(a->run);
  return if_null(holder(a)) | bad_flags(a->flags, PA_ZEROED) |
         bad | (!bad_address(a->run) && has_apart(a->run, 1) ? one(PA_NOT_PLAIN) : 0);
}
EXPECT(pa_extend) {
  const statuses bad = bad_growth(a);
  if (bad) return bad;
  const size_t index = index_of(a->run), run = run_of(index);
  if (a->pages <= ends[run] - index) return one(PA_OK);
  if (run == 1) return one(a->pages <= SECOND ? PA_OK : PA_NOT_FREE);
  /* Behind the last of them the arena grows, where it can. */
  const size_t room = world.is_pool ? LIMIT : ROOM;
  return one(PA_NOT_FREE) | (run == 4 && a->pages < room ? one(PA_OK) : 0);
}
EXPECT(pa_resize) { return taken(bad_growth(a) | bad_count(a->pages), a->pages); }
EXPECT(pa_find) {
  const size_t run = is_ours(a->address) ? run_of(index_of(a->address)) : 0;
  const int is_other = !world.is_pool && !a->arena && a->address == world.elsewhere;
  statuses bad = if_null(a->run_at) | (world.is_pool ? if_null(a->pool) : 0);
  if (!run && !is_other) bad |= one(PA_NOT_IN_USE);
  const uint32_t size = a->told_size;
  if (a->run_at) bad |= bad_size(size);
  return done(bad);
}

EXPECT(pa_discard) { return done(if_null(holder(a)) | bad_range(a->first, a->pages)); }
EXPECT(pa_purge_lazy) {
  statuses bad = if_null(holder(a)) | bad_range(a->first, a->pages);
  if (!bad_address(a->first) && has_apart(a->first, a->pages)) bad |= one(PA_NOT_PLAIN);
  /* Emulators may not know the advice. */
  return bad ? bad : one(PA_OK) | one(PA_SYSTEM);
}
EXPECT(pa_decommit) { return done(if_null(holder(a)) | bad_part(a->first, a->pages)); }
EXPECT(pa_commit) { return expect_pa_decommit(a); }
EXPECT(pa_protect) {
  return done(if_null(holder(a)) | bad_part(a->first, a->pages) | bad_access(a->access));
}
EXPECT(pa_advise_huge_pages) {
  const int is_known = a->advice == PA_HUGE_PAGES_PREFER || a->advice == PA_HUGE_PAGES_AVOID;
  statuses bad = if_null(holder(a)) | bad_part(a->first, a->pages);
  if (!is_known) bad |= one(PA_BAD_ARGUMENT);
  /* A kernel may not know the call. */
  return bad ? bad : one(PA_OK) | one(PA_SYSTEM);
}

EXPECT(pa_cache_create) { return done(if_null(holder(a)) | if_null(a->cache_at)); }
EXPECT(pa_cache_destroy) { return (void)a, one(PA_OK); }
EXPECT(pa_cache_alloc) { return taken(if_null(a->cache) | bad_count(a->pages), a->pages); }
EXPECT(pa_cache_free) { return done(if_null(a->cache) | bad_part(a->first, a->pages)); }

EXPECT(pa_release) { return done(if_null(holder(a))); }
EXPECT(pa_release_all) { return done(if_null(holder(a))); }
EXPECT(pa_release_lazy) { return holder(a) ? one(PA_OK) | one(PA_SYSTEM) : one(PA_BAD_ARGUMENT); }
EXPECT(pa_scavenge_step) { return done(if_null(holder(a))); }
EXPECT(pa_collapse) { return a->arena ? one(PA_OK) | one(PA_SYSTEM) : one(PA_BAD_ARGUMENT); }

EXPECT(pa_set_limits) {
  const int is_bad = a->soft_bytes64 && a->hard_bytes64 && a->soft_bytes64 > a->hard_bytes64;
  return done(if_null(holder(a)) | (is_bad ? one(PA_BAD_MEMORY_LIMIT) : 0));
}
EXPECT(pa_set_group_limit) {
  const int is_good = a->fraction > 0 && a->fraction <= 1;
  return done(if_null(holder(a)) | (is_good ? 0 : one(PA_BAD_MEMORY_LIMIT)));
}
EXPECT(pa_get_limits) { return done(if_null(holder(a))); }
EXPECT(pa_on_limit) { return done(if_null(holder(a))); }
EXPECT(pa_get_statistics) {
  statuses bad = if_null(holder(a)) | if_null(a->statistics_at);
  const uint32_t size = a->told_size;
  if (a->statistics_at) bad |= bad_size(size);
  return done(bad);
}
EXPECT(pa_statistics_json) {
  const statuses bad = if_null(holder(a)) | (a->capacity ? if_null(a->buffer) : 0);
  if (bad) return bad;
  return one(a->capacity < 1000 ? PA_TRUNCATED : PA_OK);
}
EXPECT(pa_measure_resident) {
  const statuses bad = if_null(holder(a)) | if_null(a->bytes_at);
  return bad ? bad : one(PA_OK) | one(PA_SYSTEM);
}
EXPECT(pa_fork_prepare) { return done(if_null(holder(a))); }
EXPECT(pa_fork_parent) { return done(if_null(holder(a))); }
EXPECT(pa_fork_child) { return done(if_null(holder(a))); }

EXPECT(pa_region_create) {
  statuses bad = if_null(a->region_at) | bad_flags(a->flags, PA_WRITABLE_CODE_ALLOWED);
  if (a->reserve_bytes == 0 || a->reserve_bytes >= SIZE_MAX / 2) bad |= one(PA_BAD_BYTE_COUNT);
  if (a->guard_bytes >= SIZE_MAX / 2) bad |= one(PA_BAD_GUARD);
  return done(bad);
}
EXPECT(pa_region_destroy) { return (void)a, one(PA_OK); }
EXPECT(pa_region_start) { return (void)a, one(PA_OK); }
EXPECT(pa_region_size) { return (void)a, one(PA_OK); }
EXPECT(pa_region_committed) { return (void)a, one(PA_OK); }
EXPECT(pa_region_grow) {
  return done(if_null(a->region) | (a->bytes > RESERVE ? one(PA_OUT_OF_BOUNDS) : 0));
}
EXPECT(pa_region_shrink) { return expect_pa_region_grow(a); }
EXPECT(pa_region_commit) { return done(if_null(a->region) | bad_bytes(a->offset, a->bytes)); }
EXPECT(pa_region_decommit) { return expect_pa_region_commit(a); }
EXPECT(pa_region_discard) { return expect_pa_region_commit(a); }
EXPECT(pa_region_protect) {
  statuses bad = if_null(a->region) | bad_bytes(a->offset, a->bytes) | bad_access(a->access);
  if (!bad && a->bytes && a->offset < HOLE_END && a->offset + a->bytes > HOLE) {
    bad = one(PA_NOT_COMMITTED);
  }
  return done(bad);
}
EXPECT(pa_region_reset) { return done(if_null(a->region)); }

/* A pool's functions are as an arena's of the same names. */
#define AS_ARENAS(name) EXPECT(pa_pool_##name) { return expect_pa_##name(a); }
AS_ARENAS(alloc)
AS_ARENAS(alloc_with)
AS_ARENAS(alloc_at)
AS_ARENAS(free)
AS_ARENAS(free_run)
AS_ARENAS(free_range)
AS_ARENAS(free_discarded)
AS_ARENAS(extend)
AS_ARENAS(resize)
AS_ARENAS(find)
AS_ARENAS(discard)
AS_ARENAS(purge_lazy)
AS_ARENAS(release)
AS_ARENAS(release_all)
AS_ARENAS(release_lazy)
AS_ARENAS(scavenge_step)
AS_ARENAS(set_limits)
AS_ARENAS(set_group_limit)
AS_ARENAS(get_limits)
AS_ARENAS(on_limit)
AS_ARENAS(get_statistics)
AS_ARENAS(statistics_json)
AS_ARENAS(measure_resident)
AS_ARENAS(fork_prepare)
AS_ARENAS(fork_parent)
AS_ARENAS(fork_child)

/* ---- Rows */

typedef struct {
  const char *name;
  pa_status (*call)(arguments *a);
  statuses (*expect)(const arguments *a);
  const values *parameters[8]; /* and NULL */
} row;

/* Of a function that returns pages: why there are none, where that was asked for. */
static pa_status took(arguments *a, void *run) {
  a->got = (uintptr_t)run;
  if (run || a->status_at) return run ? PA_OK : *a->status_at;
  return -1;
}
static pa_status got(arguments *a, uintptr_t result) {
  a->got = result;
  return PA_OK;
}
#define ROW(name, ...) {#name, call_##name, expect_##name, {__VA_ARGS__}},
#include "sweep-rows.h"

/* ---- The sweep */

static int passed, failed;
static struct {
  const row *row;
  size_t indices[8]; /* which value each parameter has */
  arguments now;
  pa_statistics before;
  int is_fresh, is_looked_at; /* the figures before, and the runs */
  unsigned long calls, accepted;
  int complaints; /* about the row, of which the first few are printed */
} sweep;

static void complain(const char *what, pa_status status) {
  failed++;
  if (++sweep.complaints > 5) return;
  const arguments *a = &sweep.now;
  printf("FAILED: sweep.c: %s: %s: status %d (%s);", sweep.row->name, what, (int)status,
         status >= 0 ? pa_strerror(status) : "");
  const char *address = a->first ? a->first : a->run ? a->run : (const char *)a->address;
  if (is_ours(address)) printf(" page %zu, byte %zu;", index_of(address),
                               (size_t)((uintptr_t)address % PA_PAGE_SIZE));
  else printf(" address %p;", (const void *)address);
  printf(" handles %d; pages %zu, alignment %zu, flags %u, access %u, size %u, option %zu,"
         " reserve %zu, guard %zu, offset %zu, bytes %zu\n",
         a->arena || a->cache || a->region || a->pool, a->pages, a->alignment, a->flags, a->access,
         a->told_size, a->option, a->reserve_bytes, a->guard_bytes, a->offset, a->bytes);
}

static pa_statistics figures(void) {
  pa_statistics now;
  memset(&now, 0, sizeof now);
  now.size = sizeof now;
  INSIST((world.is_pool ? pa_pool_get_statistics(world.pool, &now)
                        : pa_get_statistics(world.arena, &now)) == PA_OK);
  return now;
}

/* Where all memory was looked through before a request was refused, how much is free, and how often
 * that was, may differ; else no figure does. */
static int is_unchanged(pa_status status) {
  const pa_statistics now = figures();
  if (status != PA_OUT_OF_MEMORY) return memcmp(&now, &sweep.before, sizeof now) == 0;
  sweep.is_fresh = 1;
  /* A pool has made no arena, either. */
  if (sizeof(void *) == 8 && now.reserved_bytes != sweep.before.reserved_bytes) return 0;
  return now.in_use_bytes == sweep.before.in_use_bytes &&
         now.inaccessible_bytes == sweep.before.inaccessible_bytes;
}

static int is_filled(const char *bytes, size_t from, size_t to) {
  for (size_t i = from; i < to; i++) {
    if (bytes[i] != FILL) return 0;
  }
  return 1;
}

/* Whether a call wrote what it may, and where. */
static int results_are_right(const arguments *a, pa_status status) {
  const int is_made = a->arena_at || a->cache_at || a->region_at || a->pool_at;
  if (a->status_at && *a->status_at != status) return 0;
  if (!a->status_at && !is_filled(a->status_cell.bytes, 0, 8)) return 0;
  if (status == PA_TRUNCATED || (status == PA_OK && a->buffer)) {
    return is_filled(a->big.bytes, a->capacity < ROOMY ? a->capacity : ROOMY, ROOMY);
  }
  if (status == PA_OK) {
    if (is_made) return a->cell.pointer != NULL;
    const size_t known = a->run_at ? sizeof(pa_run) : sizeof(pa_statistics);
    if (!a->run_at && !a->statistics_at) return 1;
    if (memcmp(a->big.bytes, &a->told_size, 4) != 0) return 0;
    return is_filled(a->big.bytes, a->told_size < known ? a->told_size : known, ROOMY);
  }
  if (is_made) return a->cell.pointer == NULL;
  if (!is_filled(a->cell.bytes, 0, 8) || !is_filled(a->cell2.bytes, 0, 8)) return 0;
  if (a->options_at) return 1;
  const int is_struct = a->run_at || a->statistics_at;
  if (is_struct && memcmp(a->big.bytes, &a->told_size, 4) != 0) return 0;
  return is_filled(a->big.bytes, is_struct ? 4 : 0, ROOMY);
}

/* What a call that succeeded has made or ended. */
static void clean_up(const arguments *a) {
  const char *name = sweep.row->name;
  if (a->arena_at) pa_destroy(a->cell.arena);
  if (a->cache_at) pa_cache_destroy(a->cell.cache);
  if (a->region_at) pa_region_destroy(a->cell.region);
  if (a->pool_at) pa_pool_destroy(a->cell.pool);
  if (strcmp(name, "pa_destroy") == 0 && a->arena) world.arena = NULL;
  if (strcmp(name, "pa_cache_destroy") == 0 && a->cache) world.cache = NULL;
  if (strcmp(name, "pa_region_destroy") == 0 && a->region) world.region = NULL;
  if (strcmp(name, "pa_pool_destroy") == 0 && a->pool) world.pool = NULL;
  if (strcmp(name, "pa_fork_prepare") == 0) (void)pa_fork_parent(a->arena);
  if (strcmp(name, "pa_pool_fork_prepare") == 0) (void)pa_pool_fork_parent(a->pool);
  tear_down();
  build();
  sweep.is_fresh = sweep.is_looked_at = 1;
}

static void make_call(void) {
  arguments *const a = &sweep.now;
  /* Results hold nothing that a function would write. */
  memset(a, 0, sizeof *a);
  memset(a, FILL, offsetof(arguments, arena));
  for (size_t i = 0; sweep.row->parameters[i]; i++) {
    sweep.row->parameters[i]->set(a, sweep.indices[i]);
  }
  const statuses expected = sweep.row->expect(a);
  if (sweep.is_fresh) sweep.before = figures();
  /* What calls that were refused have changed, before one changes what there is. */
  if ((expected & one(PA_OK)) && !sweep.is_looked_at && !is_whole()) {
    complain("the runs are not as before, in front of this call", PA_OK);
  }
  sweep.is_fresh = sweep.is_looked_at = 0;
  sweep.calls++;
  const pa_status status = sweep.row->call(a);
  /* Nobody was told why: one of the reasons there are. */
  if (status != -1 && !(expected & one(status))) {
    complain("another status than is documented", status);
  } else if (status == -1 && expected == one(PA_OK)) {
    complain("refused", status);
  } else if (!results_are_right(a, status)) {
    complain("results that are not documented", status);
  } else {
    passed++;
  }
  if (status == PA_OK) {
    sweep.accepted++;
    clean_up(a);
  } else if (!is_unchanged(status == -1 ? PA_OUT_OF_MEMORY : status)) {
    complain("refused, and figures have changed", status);
    sweep.is_fresh = 1;
  }
}

/* All values of a parameter, with all of those that follow. */
static void vary(size_t from) {
  const values *its = sweep.row->parameters[from];
  if (!its) {
    make_call();
    return;
  }
  for (size_t i = 0; i < its->count; i++) {
    sweep.indices[from] = i;
    vary(from + 1);
  }
}

static void sweep_all(const char *kind) {
  build();
  INSIST(is_whole());
  sweep.is_fresh = sweep.is_looked_at = 1;
  sweep.calls = sweep.accepted = 0;
  for (size_t i = 0; i < COUNT(rows); i++) {
    sweep.row = &rows[i];
    sweep.complaints = 0;
    look_at(strncmp(sweep.row->name, "pa_pool_", 8) == 0);
    sweep.is_fresh = 1;
    vary(0);
    if (!is_whole()) complain("the runs are not as before", PA_OK);
  }
  printf("%s: %zu functions, %lu calls, %lu of them accepted\n", kind, COUNT(rows), sweep.calls,
         sweep.accepted);
  tear_down();
}

int main(int argc, char **argv) {
  setvbuf(stdout, NULL, _IOLBF, 0);
  (void)argv;
  if (sysconf(_SC_PAGESIZE) > PA_PAGE_SIZE) {
    printf("left out: pages of the kernel's are larger than ours\n1 passed, 0 failed\n");
    return 0;
  }
  world.options = (pa_options)PA_OPTIONS_INIT;
  world.options.reserve_bytes = 64 << 20;
  world.is_emulated = argc > 1;
  sweep_all("by default");
  if (!world.is_emulated) {
    world.options.thread_cache_bytes = PA_NONE;
    sweep_all("without caches");
    world.options.thread_cache_bytes = 0;
    world.options.flags = PA_FORK_MANUAL;
    sweep_all("forks by hand");
    /* Tells of mistakes on standard error. */
    (void)freopen("/dev/null", "w", stderr);
    world.options.flags = 0;
    world.options.diagnosis = PA_DIAGNOSIS_CHECKED;
    world.options.quarantine_bytes = PA_NONE; /* what was freed is to be had again */
    sweep_all("checked");
  }
  printf("%d passed, %d failed\n", passed, failed);
  return failed != 0;
}
