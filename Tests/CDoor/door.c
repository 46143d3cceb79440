/* Uses every call of pagealloc.h, as a program in C does: contents, threads, fork; and some bad
 * input, of which sweep.c has all.
 * The last line is `N passed, N failed`. */
#define _DEFAULT_SOURCE
#include "pagealloc.h"

#include <dirent.h>
#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static int passed, failed;
/* Forks beside threads that do not rest; fewer on an emulator. */
static int forks = 20;

static void verdict(int holds, const char *what, int line) {
  if (holds) {
    passed++;
  } else {
    failed++;
    printf("FAILED: door.c:%d: %s\n", line, what);
  }
}
#define HOLDS(claim) verdict((claim) != 0, #claim, __LINE__)
#define IS(status, call)                                                                           \
  do {                                                                                             \
    const pa_status told = (call);                                                                 \
    verdict(told == (status), #call, __LINE__);                                                    \
    if (told != (status)) printf("  status %d: %s\n", (int)told, pa_strerror(told));               \
  } while (0)

static pa_arena *make(const pa_options *options) {
  pa_arena *arena = NULL;
  IS(PA_OK, pa_create(options, &arena));
  if (!arena) exit(1);
  return arena;
}

static pa_statistics figures(pa_arena *arena) {
  pa_statistics now;
  now.size = sizeof now;
  IS(PA_OK, pa_get_statistics(arena, &now));
  return now;
}

/* All bytes of some pages are this one. */
static int holds_byte(const void *run, size_t pages, unsigned char byte) {
  const unsigned char *bytes = (const unsigned char *)run;
  for (size_t i = 0; i < pages * PA_PAGE_SIZE; i++) {
    if (bytes[i] != byte) return 0;
  }
  return 1;
}

static char *page(void *run, size_t index) { return (char *)run + index * PA_PAGE_SIZE; }

/* ---- What may fault */

static sigjmp_buf back;
static void on_fault(int number) {
  (void)number;
  siglongjmp(back, 1);
}

/* Whether a write to a byte faults. */
static int faults(void *address) {
  struct sigaction ours, before, before_bus;
  memset(&ours, 0, sizeof ours);
  ours.sa_handler = on_fault;
  sigemptyset(&ours.sa_mask);
  sigaction(SIGSEGV, &ours, &before);
  sigaction(SIGBUS, &ours, &before_bus);
  volatile int does = 1;
  if (sigsetjmp(back, 1) == 0) {
    volatile char *byte = (volatile char *)address;
    *byte = *byte;
    does = 0;
  }
  sigaction(SIGSEGV, &before, NULL);
  sigaction(SIGBUS, &before_bus, NULL);
  return does;
}

/* ---- An arena's beginning and end */

static int count_threads(void) {
  DIR *tasks = opendir("/proc/self/task");
  int count = 0;
  if (!tasks) return -1;
  while (readdir(tasks)) count++;
  closedir(tasks);
  return count - 2;
}

/* Whether there are so many threads within a second: one that was joined may be listed for a moment
 * longer. */
static int comes_to_threads(int count) {
  const struct timespec moment = {0, 1000000};
  for (int looks = 0; looks < 1000 && count_threads() != count; looks++) nanosleep(&moment, NULL);
  return count_threads() == count;
}

static void test_create(void) {
  HOLDS(pa_version() ==
        (PA_VERSION_MAJOR << 16 | PA_VERSION_MINOR << 8 | PA_VERSION_PATCH));
  const int threads = count_threads();
  pa_arena *arena = make(NULL);
  HOLDS(count_threads() == threads);
  HOLDS(figures(arena).reserved_bytes >= 64 << 20);
  pa_destroy(arena);
  pa_destroy(NULL);

  pa_options options = PA_OPTIONS_INIT;
  options.reserve_bytes = 256 << 20;
  options.scavenging = PA_SCAVENGE_IN_BACKGROUND;
  arena = make(&options);
  HOLDS(count_threads() == threads + 1);
  HOLDS(figures(arena).reserved_bytes == 256 << 20);
  pa_destroy(arena);
  HOLDS(comes_to_threads(threads));

  options = (pa_options)PA_OPTIONS_INIT;
  options.thread_cache_bytes = PA_NONE;
  options.flags = PA_WRITABLE_CODE_ALLOWED | PA_WATCH_PRESSURE;
  options.hard_limit_bytes = 64 << 20;
  options.soft_limit_bytes = 32 << 20;
  options.huge_pages = PA_HUGE_PAGES_AVOID;
  options.scavenging = PA_SCAVENGE_ON_REQUEST;
  options.diagnosis = PA_DIAGNOSIS_OFF;
  arena = make(&options);
  uint64_t soft = 0, hard = 0;
  IS(PA_OK, pa_get_limits(arena, &soft, &hard));
  HOLDS(soft == 32 << 20 && hard == 64 << 20);
  pa_destroy(arena);
}

static void test_bad_options(void) {
  pa_arena *arena = (pa_arena *)&arena;
  const pa_options good = PA_OPTIONS_INIT;
  pa_options bad;
#define REFUSED(status, change)                                                                    \
  do {                                                                                             \
    bad = good;                                                                                    \
    change;                                                                                        \
    arena = (pa_arena *)&arena;                                                                    \
    IS(status, pa_create(&bad, &arena));                                                           \
    HOLDS(arena == NULL);                                                                          \
  } while (0)
  IS(PA_BAD_ARGUMENT, pa_create(NULL, NULL));
  IS(PA_BAD_ARGUMENT, pa_create(&good, NULL));
  REFUSED(PA_BAD_SIZE, bad.size = 0);
  REFUSED(PA_BAD_SIZE, bad.size = 4);
  REFUSED(PA_BAD_SIZE, bad.size = 9);
  REFUSED(PA_BAD_SIZE, bad.size = UINT32_MAX);
  REFUSED(PA_BAD_ARGUMENT, bad.flags = 1u << 31);
  REFUSED(PA_BAD_ARGUMENT, bad.unused = 1);
  REFUSED(PA_BAD_ARGUMENT, bad.scavenging = 3);
  REFUSED(PA_BAD_ARGUMENT, bad.huge_pages = 4);
  REFUSED(PA_BAD_ARGUMENT, bad.diagnosis = 4);
  REFUSED(PA_BAD_RESERVATION, bad.reserve_bytes = 1);
  REFUSED(PA_BAD_RESERVATION, bad.reserve_bytes = UINT64_MAX);
  REFUSED(PA_BAD_SCAVENGING, bad.headroom = -1);
  REFUSED(PA_BAD_SCAVENGING, bad.headroom = 17);
  REFUSED(PA_BAD_SCAVENGING, bad.cpu_share = 2);
  REFUSED(PA_BAD_SCAVENGING, bad.cpu_share = -1);
  REFUSED(PA_BAD_SCAVENGING, bad.headroom = 0.0 / (bad.unused ? 1.0 : 0.0));
  REFUSED(PA_BAD_MEMORY_LIMIT, bad.group_fraction = 2);
  REFUSED(PA_BAD_MEMORY_LIMIT, bad.group_fraction = -1);
  REFUSED(PA_BAD_MEMORY_LIMIT, (bad.soft_limit_bytes = 2, bad.hard_limit_bytes = 1));

  /* A newer program's struct: what this version does not know must be zero. */
  struct {
    pa_options known;
    uint64_t more;
  } newer = {PA_OPTIONS_INIT, 0};
  newer.known.size = sizeof newer;
  IS(PA_OK, pa_create(&newer.known, &arena));
  pa_destroy(arena);
  newer.more = 1;
  IS(PA_BAD_SIZE, pa_create(&newer.known, &arena));
  /* An older program's. */
  pa_options older = PA_OPTIONS_INIT;
  older.size = 16;
  older.reserve_bytes = 128 << 20;
  older.hard_limit_bytes = 1;
  IS(PA_OK, pa_create(&older, &arena));
  HOLDS(figures(arena).reserved_bytes == 128 << 20);
  pa_destroy(arena);
}

/* ---- Runs */

static void test_runs(void) {
  pa_arena *arena = make(NULL);
  static const size_t sizes[] = {1, 2, 3, 16, 64, 65, 127, 128, 500, 3000};
  for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
    const size_t pages = sizes[i];
    pa_status status = -1;
    void *run = pa_alloc(arena, pages, &status);
    HOLDS(run && status == PA_OK);
    memset(run, 0x5a, pages * PA_PAGE_SIZE);
    HOLDS(holds_byte(run, pages, 0x5a));
    IS(PA_OK, pa_free(arena, run, pages));
    void *zeroed = pa_alloc_zeroed(arena, pages, &status);
    HOLDS(zeroed && status == PA_OK && holds_byte(zeroed, pages, 0));
    memset(zeroed, 0x5a, pages * PA_PAGE_SIZE);
    IS(PA_OK, pa_free_run(arena, zeroed));
    void *aligned = pa_alloc_aligned(arena, pages, 1 << 16, NULL);
    HOLDS(aligned && (uintptr_t)aligned % (1 << 16) == 0);
    IS(PA_OK, pa_free(arena, aligned, pages));
    bool is_zero = false;
    run = pa_alloc_with(arena, pages, PA_PAGE_SIZE, 0, &is_zero, &status);
    HOLDS(run && status == PA_OK && (!is_zero || holds_byte(run, pages, 0)));
    memset(run, 0x5a, pages * PA_PAGE_SIZE);
    IS(PA_OK, pa_free(arena, run, pages));
    run = pa_alloc_with(arena, pages, 1 << 15, PA_ZEROED, &is_zero, NULL);
    HOLDS(run && is_zero && holds_byte(run, pages, 0) && (uintptr_t)run % (1 << 15) == 0);
    IS(PA_OK, pa_free(arena, run, pages));
  }
  HOLDS(figures(arena).in_use_bytes == 0);
  pa_destroy(arena);
  /* Fresh memory is known to be zero. */
  arena = make(NULL);
  bool is_zero = false;
  void *fresh = pa_alloc_with(arena, 4096, PA_PAGE_SIZE, 0, &is_zero, NULL);
  HOLDS(fresh && is_zero && holds_byte(fresh, 4096, 0));
  IS(PA_OK, pa_free(arena, fresh, 4096));
  pa_destroy(arena);
}

static void test_parts(void) {
  pa_arena *arena = make(NULL);
  void *run = pa_alloc(arena, 10, NULL);
  IS(PA_OK, pa_free(arena, page(run, 3), 4));
  IS(PA_NOT_IN_USE, pa_free(arena, page(run, 3), 1));
  IS(PA_PAST_END_OF_RUN, pa_free(arena, run, 4));
  IS(PA_NOT_A_START, pa_free_run(arena, page(run, 1)));
  IS(PA_NOT_IN_USE, pa_free_range(arena, run, 10));
  HOLDS(figures(arena).in_use_bytes == 6 * PA_PAGE_SIZE);
  IS(PA_OK, pa_alloc_at(arena, page(run, 3), 4, PA_ZEROED));
  HOLDS(holds_byte(page(run, 3), 4, 0));
  IS(PA_NOT_FREE, pa_alloc_at(arena, page(run, 3), 1, 0));
  /* Three runs now, of which the first and the last are freed in part. */
  IS(PA_OK, pa_free_range(arena, page(run, 1), 8));
  HOLDS(figures(arena).in_use_bytes == 2 * PA_PAGE_SIZE);
  IS(PA_OK, pa_free(arena, run, 1));
  IS(PA_OK, pa_free(arena, page(run, 9), 1));
  HOLDS(figures(arena).in_use_bytes == 0);
  pa_destroy(arena);
}

static void test_resize(void) {
  pa_arena *arena = make(NULL);
  pa_status status = -1;
  void *run = pa_alloc(arena, 4, NULL), *other;
  memset(run, 7, 4 * PA_PAGE_SIZE);
  if (pa_extend(arena, run, 6, PA_ZEROED) == PA_OK) {
    HOLDS(holds_byte(run, 4, 7) && holds_byte(page(run, 4), 2, 0));
    run = pa_resize(arena, run, 4, 0, &status);
  }
  other = pa_alloc(arena, 1, NULL);
  if (other != page(run, 4)) (void)pa_alloc_at(arena, page(run, 4), 1, 0);
  IS(PA_NOT_FREE, pa_extend(arena, run, 5, 0));
  IS(PA_OK, pa_extend(arena, run, 2, 0));
  for (size_t pages = 4; pages < 2000; pages = pages * 2 + 1) {
    void *moved = pa_resize(arena, run, pages, PA_ZEROED, &status);
    HOLDS(moved && status == PA_OK && holds_byte(moved, 4, 7));
    if (pages > 4) HOLDS(holds_byte(page(moved, 4), pages - 4, 0));
    run = moved;
  }
  run = pa_resize(arena, run, 3, 0, NULL);
  HOLDS(run && holds_byte(run, 3, 7));
  HOLDS(pa_resize(arena, run, 0, 0, &status) == NULL && status == PA_BAD_PAGE_COUNT);
  HOLDS(pa_resize(arena, run, SIZE_MAX, 0, &status) == NULL && status == PA_BAD_PAGE_COUNT);
  HOLDS(pa_resize(arena, page(run, 1), 9, 0, &status) == NULL && status == PA_NOT_A_START);
  IS(PA_OK, pa_free(arena, run, 3));
  pa_destroy(arena);
}

static void test_find(void) {
  pa_arena *arena = make(NULL), *other = make(NULL);
  void *run = pa_alloc(arena, 300, NULL);
  pa_run found;
  memset(&found, 0xff, sizeof found);
  found.size = sizeof found;
  IS(PA_OK, pa_find(arena, page(run, 299) + 8191, &found));
  HOLDS(found.start == run && found.pages == 300 && found.arena == arena);
  IS(PA_OK, pa_find(NULL, page(run, 17), &found));
  HOLDS(found.start == run && found.pages == 300 && found.arena == arena);
  IS(PA_NOT_IN_USE, pa_find(other, run, &found));
  IS(PA_NOT_IN_USE, pa_find(NULL, &found, &found));
  IS(PA_NOT_IN_USE, pa_find(NULL, NULL, &found));
  IS(PA_BAD_ARGUMENT, pa_find(arena, run, NULL));
  found.size = 3;
  IS(PA_BAD_SIZE, pa_find(arena, run, &found));
  found.size = sizeof found;
  IS(PA_OK, pa_free(arena, run, 300));
  IS(PA_NOT_IN_USE, pa_find(arena, run, &found));
  IS(PA_NOT_IN_USE, pa_find(NULL, run, &found));
  pa_destroy(other);
  pa_destroy(arena);
}

/* ---- Contents */

static void test_contents(void) {
  pa_arena *arena = make(NULL);
  void *run = pa_alloc(arena, 16, NULL);
  memset(run, 9, 16 * PA_PAGE_SIZE);
  IS(PA_OK, pa_discard(arena, page(run, 4), 8));
  HOLDS(holds_byte(run, 4, 9) && holds_byte(page(run, 4), 8, 0) &&
        holds_byte(page(run, 12), 4, 9));
  HOLDS(figures(arena).discarded_bytes == 8 * PA_PAGE_SIZE);
  memset(run, 9, 16 * PA_PAGE_SIZE);
  const pa_status lazily = pa_purge_lazy(arena, run, 4);
  /* Emulators may not know it. */
  HOLDS(lazily == PA_OK || pa_errno(lazily) == EINVAL);
  if (lazily == PA_OK) {
    HOLDS(figures(arena).lazy_bytes == 4 * PA_PAGE_SIZE);
    for (size_t i = 0; i < 4; i++) {
      HOLDS(holds_byte(page(run, i), 1, 9) || holds_byte(page(run, i), 1, 0));
    }
  }
  HOLDS(holds_byte(page(run, 4), 12, 9));
  IS(PA_NOT_IN_USE, pa_discard(arena, run, 17));
  IS(PA_NOT_IN_USE, pa_purge_lazy(arena, run, 17));
  HOLDS(holds_byte(page(run, 4), 12, 9));
  /* What goes back so is free and empty. */
  const uint64_t scavenged = figures(arena).scavenged_bytes;
  IS(PA_OK, pa_free_discarded(arena, page(run, 2), 12));
  HOLDS(figures(arena).scavenged_bytes == scavenged + 12 * PA_PAGE_SIZE);
  IS(PA_NOT_IN_USE, pa_free_discarded(arena, page(run, 2), 12));
  HOLDS(figures(arena).in_use_bytes == 4 * PA_PAGE_SIZE);
  IS(PA_OK, pa_alloc_at(arena, page(run, 2), 12, 0));
  HOLDS(holds_byte(page(run, 2), 12, 0));
  IS(PA_OK, pa_free_range(arena, run, 16));
  pa_destroy(arena);
}

/* ---- Access rights */

static void test_protect(void) {
  pa_options options = PA_OPTIONS_INIT;
  options.hard_limit_bytes = 64 << 20;
  pa_arena *arena = make(&options);
  if (sysconf(_SC_PAGESIZE) > PA_PAGE_SIZE) return;
  pa_run found;
  found.size = sizeof found;
  void *run = pa_alloc(arena, 12, NULL), *after = pa_alloc(arena, 1, NULL);
  memset(run, 5, 12 * PA_PAGE_SIZE);
  memset(after, 6, PA_PAGE_SIZE);
  IS(PA_OK, pa_protect(arena, page(run, 4), 2, PA_ACCESS_NONE));
  HOLDS(faults(page(run, 4)) && faults(page(run, 6) - 1));
  HOLDS(!faults(page(run, 4) - 1) && !faults(page(run, 6)) && holds_byte(run, 4, 5));
  IS(PA_OK, pa_protect(arena, page(run, 5), 3, PA_ACCESS_READ));
  HOLDS(faults(page(run, 4)) && faults(page(run, 7)) && !faults(page(run, 8)));
  HOLDS(holds_byte(page(run, 5), 7, 5));
  IS(PA_WRITABLE_CODE, pa_protect(arena, run, 1, PA_ACCESS_READ_WRITE_EXECUTE));
  IS(PA_OK, pa_find(arena, page(run, 5) + 7, &found));
  HOLDS(found.start == run && found.pages == 12);
  /* What cannot be had of it. */
  pa_status status = PA_OK;
  IS(PA_NOT_PLAIN, pa_extend(arena, run, 13, 0));
  HOLDS(pa_resize(arena, run, 20, 0, &status) == NULL && status == PA_NOT_PLAIN);
  IS(PA_NOT_PLAIN, pa_purge_lazy(arena, run, 2));
  IS(PA_NOT_FREE, pa_alloc_at(arena, page(run, 4), 1, 0));
  IS(PA_PAST_END_OF_RUN, pa_protect(arena, page(run, 4), 9, PA_ACCESS_READ));
  IS(PA_PAST_END_OF_RUN, pa_free(arena, page(run, 4), 9));
  IS(PA_NOT_A_START, pa_free_run(arena, page(run, 4)));
  /* All of it plain again: the same run. */
  IS(PA_OK, pa_protect(arena, run, 12, PA_ACCESS_READ_WRITE));
  HOLDS(holds_byte(run, 12, 5) && holds_byte(after, 1, 6));
  IS(PA_OK, pa_extend(arena, run, 12, 0));
  IS(PA_OK, pa_find(arena, run, &found));
  HOLDS(found.start == run && found.pages == 12);

  /* Freed in parts while it may not be accessed: whoever gets the pages can use them. */
  IS(PA_OK, pa_protect(arena, page(run, 2), 6, PA_ACCESS_NONE));
  IS(PA_OK, pa_free(arena, page(run, 3), 2));
  IS(PA_NOT_IN_USE, pa_free(arena, page(run, 3), 2));
  IS(PA_OK, pa_alloc_at(arena, page(run, 3), 2, 0));
  memset(page(run, 3), 9, 2 * PA_PAGE_SIZE);
  HOLDS(faults(page(run, 2)) && faults(page(run, 5)) && !faults(page(run, 8)));
  IS(PA_OK, pa_find(NULL, page(run, 9), &found));
  HOLDS(found.start == page(run, 5) && found.pages == 7);
  IS(PA_OK, pa_find(NULL, run, &found));
  HOLDS(found.start == run && found.pages == 3);
  IS(PA_OK, pa_free_run(arena, run));
  IS(PA_OK, pa_alloc_at(arena, run, 3, 0));
  memset(run, 1, 3 * PA_PAGE_SIZE);
  /* Across plain runs and others. */
  IS(PA_OK, pa_free_range(arena, page(run, 1), 8));
  IS(PA_NOT_IN_USE, pa_free_range(arena, run, 12));
  IS(PA_OK, pa_alloc_at(arena, page(run, 1), 8, 0));
  memset(run, 1, 12 * PA_PAGE_SIZE);
  IS(PA_OK, pa_free_range(arena, run, 12));
  IS(PA_OK, pa_free(arena, after, 1));
  HOLDS(figures(arena).in_use_bytes == 0);

  /* By a handle, and in one go. */
  pa_cache *cache;
  IS(PA_OK, pa_cache_create(arena, &cache));
  run = pa_cache_alloc(cache, 3, NULL);
  IS(PA_OK, pa_protect(arena, run, 3, PA_ACCESS_READ));
  IS(PA_OK, pa_cache_free(cache, run, 3));
  IS(PA_NOT_IN_USE, pa_cache_free(cache, run, 3));
  run = pa_cache_alloc(cache, 3, NULL);
  memset(run, 1, 3 * PA_PAGE_SIZE);
  IS(PA_OK, pa_protect(arena, run, 1, PA_ACCESS_NONE));
  IS(PA_OK, pa_free_discarded(arena, run, 3));
  pa_cache_destroy(cache);
  pa_destroy(arena);
}

/* What the kernel has noted about huge pages of the mapping of an address: 'h' for hg, 'n' for nh,
 * '-' for neither, '?' where it does not tell. */
static char flag(void *address) {
  FILE *file = fopen("/proc/self/smaps", "r");
  if (!file || forks < 20) {
    if (file) (void)fclose(file);
    return '?';
  }
  char line[512], found = '?';
  int is_inside = 0;
  while (fgets(line, sizeof line, file)) {
    unsigned long start, end;
    if (sscanf(line, "%lx-%lx ", &start, &end) == 2) {
      is_inside = (uintptr_t)address >= start && (uintptr_t)address < end;
    } else if (is_inside && strncmp(line, "VmFlags:", 8) == 0) {
      found = strstr(line, " hg") ? 'h' : strstr(line, " nh") ? 'n' : '-';
    }
  }
  (void)fclose(file);
  return found;
}
/* Whether the kernel takes such advice. */
static int knows_advice = 1;

/* Whether these pages have such flags, as far as the kernel tells. */
static int are_flagged(void *run, const char *flags) {
  for (size_t i = 0; flags[i]; i++) {
    const char found = flag(page(run, i));
    if (found != flags[i] && found != '?') {
      printf("page %d: %c, not %c\n", (int)i, found, flags[i]);
      return 0;
    }
  }
  return 1;
}

static void test_huge_page_advice(void) {
  pa_options options = PA_OPTIONS_INIT;
  options.huge_pages = PA_HUGE_PAGES_SYSTEM;
  pa_arena *arena = make(&options);
  if (sysconf(_SC_PAGESIZE) > PA_PAGE_SIZE) return;
  pa_run found;
  found.size = sizeof found;
  pa_status status;
  void *run = pa_alloc(arena, 12, NULL), *after = pa_alloc(arena, 1, NULL);
  memset(run, 5, 12 * PA_PAGE_SIZE);
  memset(after, 6, PA_PAGE_SIZE);
  IS(PA_BAD_ARGUMENT, pa_advise_huge_pages(arena, run, 2, PA_HUGE_PAGES_AUTOMATIC));
  IS(PA_BAD_ARGUMENT, pa_advise_huge_pages(arena, run, 2, PA_HUGE_PAGES_SYSTEM));
  IS(PA_PAST_END_OF_RUN, pa_advise_huge_pages(arena, page(run, 4), 9, PA_HUGE_PAGES_PREFER));
  IS(PA_OK, pa_extend(arena, run, 12, 0));
  status = pa_advise_huge_pages(arena, page(run, 2), 6, PA_HUGE_PAGES_PREFER);
  if (status != PA_OK) {
    IS(EINVAL, pa_errno(status));
    IS(PA_OK, pa_extend(arena, run, 12, 0));
    knows_advice = 0;
    printf("huge pages of a run: the kernel does not know the call\n");
    pa_destroy(arena);
    return;
  }
  IS(PA_OK, pa_advise_huge_pages(arena, page(run, 5), 2, PA_HUGE_PAGES_AVOID));
  HOLDS(are_flagged(run, "--hhhnnh----"));
  HOLDS(holds_byte(run, 12, 5));
  IS(PA_OK, pa_find(arena, page(run, 5) + 7, &found));
  HOLDS(found.start == run && found.pages == 12);
  IS(PA_NOT_PLAIN, pa_extend(arena, run, 13, 0));
  HOLDS(pa_resize(arena, run, 20, 0, &status) == NULL && status == PA_NOT_PLAIN);
  IS(PA_NOT_PLAIN, pa_purge_lazy(arena, run, 2));
  /* Access comes and goes, the advice stays. */
  IS(PA_OK, pa_protect(arena, page(run, 1), 3, PA_ACCESS_READ));
  IS(PA_OK, pa_decommit(arena, page(run, 6), 4));
  HOLDS(holds_byte(run, 6, 5) && faults(page(run, 6)));
  IS(PA_OK, pa_commit(arena, run, 12));
  HOLDS(holds_byte(page(run, 6), 4, 0) && holds_byte(page(run, 10), 2, 5));
  HOLDS(are_flagged(run, "--hhhnnh----"));
  memset(run, 5, 12 * PA_PAGE_SIZE);
  IS(PA_NOT_PLAIN, pa_extend(arena, run, 13, 0));
  /* Freed in parts: whoever gets the pages has them as the arena has. */
  IS(PA_OK, pa_free(arena, page(run, 4), 2));
  HOLDS(are_flagged(run, "--hh--nh----"));
  HOLDS(holds_byte(run, 4, 5) && holds_byte(page(run, 6), 6, 5));
  IS(PA_OK, pa_alloc_at(arena, page(run, 4), 2, PA_ZEROED));
  HOLDS(holds_byte(page(run, 4), 2, 0));
  IS(PA_OK, pa_find(arena, page(run, 9), &found));
  HOLDS(found.start == page(run, 6) && found.pages == 6);
  IS(PA_OK, pa_free(arena, page(run, 6), 2));
  /* What is left of it is plain. */
  IS(PA_NOT_FREE, pa_extend(arena, page(run, 8), 5, 0));
  IS(PA_OK, pa_free_range(arena, page(run, 8), 4));
  IS(PA_OK, pa_free_range(arena, run, 6));
  HOLDS(are_flagged(run, "------------"));
  IS(PA_OK, pa_free(arena, after, 1));
  HOLDS(figures(arena).in_use_bytes == 0);
  run = pa_alloc(arena, 8, NULL);
  IS(PA_OK, pa_advise_huge_pages(arena, run, 8, PA_HUGE_PAGES_AVOID));
  /* The child has the advice, and frees the run by itself. */
  (void)fflush(stdout);
  const pid_t child = fork();
  if (child == 0) {
    const int is_right = are_flagged(run, "nnnnnnnn") && pa_free_run(arena, run) == PA_OK &&
                         are_flagged(run, "--------") && figures(arena).in_use_bytes == 0;
    (void)fflush(stdout);
    _exit(is_right ? 0 : 1);
  }
  int end = -1;
  HOLDS(waitpid(child, &end, 0) == child && end == 0);
  HOLDS(are_flagged(run, "nnnnnnnn"));
  IS(PA_OK, pa_free_run(arena, run));
  HOLDS(are_flagged(run, "--------"));
  run = pa_alloc(arena, 8, NULL);
  IS(PA_OK, pa_advise_huge_pages(arena, page(run, 1), 1, PA_HUGE_PAGES_PREFER));
  pa_destroy(arena);
}

static void test_commit(void) {
  pa_options options = PA_OPTIONS_INIT;
  options.hard_limit_bytes = 64 << 20;
  pa_arena *arena = make(&options);
  if (sysconf(_SC_PAGESIZE) > PA_PAGE_SIZE) return;
  void *run = pa_alloc(arena, 4096, NULL);
  memset(run, 5, 4096);
  IS(PA_OK, pa_decommit(arena, run, 4096));
  HOLDS(figures(arena).inaccessible_bytes == 32 << 20);
  HOLDS(figures(arena).maybe_resident_bytes < 8 << 20);
  HOLDS(faults(run));
  IS(PA_OK, pa_commit(arena, page(run, 100), 10));
  HOLDS(holds_byte(page(run, 100), 10, 0));
  memset(page(run, 100), 3, 10 * PA_PAGE_SIZE);
  HOLDS(faults(page(run, 99)) && faults(page(run, 110)));
  HOLDS(figures(arena).inaccessible_bytes == 4086 * PA_PAGE_SIZE);
  IS(PA_OK, pa_discard(arena, page(run, 102), 2));
  HOLDS(holds_byte(page(run, 100), 2, 3) && holds_byte(page(run, 102), 2, 0));
  /* The limit is that of what is committed. */
  void *more = pa_alloc(arena, 6000, NULL);
  HOLDS(more != NULL);
  /* It admits all parts of a range or none. */
  IS(PA_LIMIT_REACHED, pa_commit(arena, run, 4096));
  IS(PA_LIMIT_REACHED, pa_protect(arena, run, 4096, PA_ACCESS_READ));
  HOLDS(figures(arena).inaccessible_bytes == 4086 * PA_PAGE_SIZE);
  HOLDS(faults(run) && faults(page(run, 99)));
  HOLDS(holds_byte(page(run, 104), 6, 3));
  IS(PA_OK, pa_free(arena, more, 6000));
  IS(PA_OK, pa_commit(arena, run, 4096));
  HOLDS(figures(arena).inaccessible_bytes == 0 && figures(arena).in_use_bytes == 32 << 20);
  HOLDS(holds_byte(page(run, 104), 6, 3) && holds_byte(page(run, 3000), 1000, 0));
  IS(PA_OK, pa_decommit(arena, page(run, 1), 1));
  IS(PA_OK, pa_decommit(arena, page(run, 3), 1));
  IS(PA_OK, pa_free(arena, run, 4096));
  HOLDS(figures(arena).in_use_bytes == 0 && figures(arena).inaccessible_bytes == 0);
  /* The arena's end finds some that are not plain. */
  run = pa_alloc(arena, 20, NULL);
  for (size_t i = 0; i < 20; i += 2) IS(PA_OK, pa_decommit(arena, page(run, i), 1));
  pa_destroy(arena);
}

/* What it takes to change, find and free single pages of a run of so many parts, in seconds. */
static double part_time(pa_arena *arena, size_t parts) {
  void *run = pa_alloc(arena, 2 * parts, NULL);
  for (size_t i = 0; i < parts; i++) IS(PA_OK, pa_decommit(arena, page(run, 2 * i), 1));
  struct timespec start, end;
  (void)clock_gettime(CLOCK_MONOTONIC, &start);
  for (size_t i = 0; i < 100; i++) {
    const size_t place = i * 7919 % parts * 2;
    pa_run found;
    found.size = sizeof found;
    IS(PA_OK, pa_commit(arena, page(run, place), 1));
    IS(PA_OK, pa_decommit(arena, page(run, place), 1));
    IS(PA_OK, pa_find(arena, page(run, place), &found));
    HOLDS(found.start == run && found.pages == 2 * parts);
  }
  for (size_t i = 0; i < 100; i++) IS(PA_OK, pa_free(arena, page(run, i), 1));
  (void)clock_gettime(CLOCK_MONOTONIC, &end);
  IS(PA_OK, pa_free_run(arena, page(run, 100)));
  return (double)(end.tv_sec - start.tv_sec) + (double)(end.tv_nsec - start.tv_nsec) * 1e-9;
}

/* Nothing grows with the parts of a run. */
static void test_many_parts(void) {
  if (sysconf(_SC_PAGESIZE) > PA_PAGE_SIZE) return;
  pa_arena *arena = make(NULL);
  const double few = part_time(arena, 128), many = part_time(arena, 8192);
  HOLDS(many < 10 * few + 0.002);
  HOLDS(figures(arena).in_use_bytes == 0 && figures(arena).inaccessible_bytes == 0);
  pa_destroy(arena);
}

/* In the checked mode nothing is told of what is no mistake. */
static void test_checked(void) {
  if (sysconf(_SC_PAGESIZE) > PA_PAGE_SIZE) return;
  int told[2];
  HOLDS(pipe(told) == 0);
  const int before = dup(2);
  (void)dup2(told[1], 2);
  pa_options options = PA_OPTIONS_INIT;
  options.diagnosis = PA_DIAGNOSIS_CHECKED;
  options.quarantine_bytes = 1 << 20;
  pa_arena *arena = make(&options);
  void *run = pa_alloc(arena, 10, NULL);
  memset(run, 1, 10 * PA_PAGE_SIZE);
  IS(PA_OK, pa_protect(arena, page(run, 2), 3, PA_ACCESS_READ));
  IS(PA_OK, pa_decommit(arena, page(run, 7), 1));
  IS(PA_OK, pa_discard(arena, page(run, 5), 4));
  IS(PA_OK, pa_free(arena, page(run, 1), 2));
  IS(PA_OK, pa_free_discarded(arena, page(run, 3), 1));
  IS(PA_OK, pa_free_run(arena, page(run, 4)));
  IS(PA_OK, pa_free_range(arena, run, 1));
  pa_cache *cache;
  IS(PA_OK, pa_cache_create(arena, &cache));
  run = pa_cache_alloc(cache, 8, NULL);
  IS(PA_OK, pa_decommit(arena, page(run, 3), 2));
  IS(PA_OK, pa_cache_free(cache, page(run, 4), 2));
  IS(PA_OK, pa_cache_free(cache, page(run, 6), 2));
  IS(PA_OK, pa_cache_free(cache, run, 4));
  pa_cache_destroy(cache);
  HOLDS(figures(arena).in_use_bytes == 0);
  pa_destroy(arena);
  (void)dup2(before, 2);
  (void)close(before);
  (void)close(told[1]);
  char text[256];
  const ssize_t length = read(told[0], text, sizeof text);
  HOLDS(length == 0);
  if (length > 0) printf("%.*s\n", (int)length, text);
  (void)close(told[0]);
}

/* ---- The same at random, beside a model: what every page is */

enum { MODEL = 96 };
static struct {
  int run;    /* a number of the run that the page is of; 0 where it is free */
  int access; /* PA_ACCESS_... */
  char flag;  /* what the kernel has noted about huge pages */
  unsigned char byte;
} model[MODEL];

/* Whether every page is what the model says. */
static int is_as_modelled(pa_arena *arena, void *base) {
  for (size_t i = 0; i < MODEL; i++) {
    if (model[i].run == 0) continue;
    if (model[i].access == PA_ACCESS_NONE) {
      if (!faults(page(base, i))) return 0;
      continue;
    }
    if ((unsigned char)*page(base, i) != model[i].byte) return 0;
    if (faults(page(base, i)) != (model[i].access == PA_ACCESS_READ)) return 0;
    size_t first = i, end = i;
    while (first > 0 && model[first - 1].run == model[i].run) first--;
    while (end < MODEL && model[end].run == model[i].run) end++;
    pa_run found;
    found.size = sizeof found;
    if (pa_find(arena, page(base, i), &found) != PA_OK) return 0;
    if (found.start != (void *)page(base, first) || found.pages != end - first) return 0;
  }
  return 1;
}

static int is_flagged_as_modelled(void *base) {
  char flags[MODEL + 1] = {0};
  for (size_t i = 0; i < MODEL; i++) flags[i] = model[i].run ? model[i].flag : '-';
  return are_flagged(base, flags);
}

static void test_model(void) {
  pa_arena *arena = make(NULL);
  if (sysconf(_SC_PAGESIZE) > PA_PAGE_SIZE) return;
  void *base = pa_alloc(arena, MODEL, NULL), *wall = pa_alloc(arena, 1, NULL);
  int runs = 1, bad = 0;
  for (size_t i = 0; i < MODEL; i++) {
    model[i].run = 1;
    model[i].access = PA_ACCESS_READ_WRITE;
    model[i].flag = '-';
    model[i].byte = (unsigned char)i;
    *page(base, i) = (char)i;
  }
  uint64_t random = 20;
  for (int step = 0; step < 4000 && !bad; step++) {
    random = random * UINT64_C(6364136223846793005) + 1442695040888963407u;
    size_t first = (random >> 33) % MODEL, pages = (random >> 41) % 6 + 1;
    if (first + pages > MODEL) pages = MODEL - first;
    const int run = model[first].run, kind = (int)(random >> 55) % 10;
    int one = 1, none = 1;
    for (size_t i = first; i < first + pages; i++) {
      if (model[i].run != run || run == 0) one = 0;
      if (model[i].run != 0) none = 0;
    }
    pa_status status;
    int access = -1, clears = 0;
    switch (kind) {
      case 0: case 1: case 2:
        access = kind; /* none, read, read and write */
        status = pa_protect(arena, page(base, first), pages, (uint32_t)access);
        break;
      case 3:
        access = PA_ACCESS_NONE;
        clears = 1;
        status = pa_decommit(arena, page(base, first), pages);
        break;
      case 4:
        access = PA_ACCESS_READ_WRITE;
        status = pa_commit(arena, page(base, first), pages);
        break;
      case 5:
        status = pa_free(arena, page(base, first), pages);
        if (status == PA_OK) for (size_t i = first; i < first + pages; i++) model[i].run = 0;
        break;
      case 6: case 7:
        if (!knows_advice) continue;
        status = pa_advise_huge_pages(arena, page(base, first), pages,
                                      kind == 6 ? PA_HUGE_PAGES_PREFER : PA_HUGE_PAGES_AVOID);
        if (status != PA_OK) break;
        for (size_t i = first; i < first + pages; i++) model[i].flag = kind == 6 ? 'h' : 'n';
        break;
      default:
        status = pa_alloc_at(arena, page(base, first), pages, PA_ZEROED);
        if ((status == PA_OK) != none) bad = 1;
        if (status == PA_OK) {
          runs++;
          for (size_t i = first; i < first + pages; i++) {
            model[i].run = runs;
            model[i].access = PA_ACCESS_READ_WRITE;
            model[i].flag = '-';
            model[i].byte = 0;
          }
        }
        continue;
    }
    if ((status == PA_OK) != one) bad = 1;
    if (status == PA_OK && kind == 5) {
      /* What is left behind it is a run of its own. */
      runs++;
      for (size_t i = first + pages; i < MODEL && model[i].run == run; i++) model[i].run = runs;
    }
    if (status == PA_OK && access >= 0) {
      for (size_t i = first; i < first + pages; i++) {
        model[i].access = access;
        if (clears) model[i].byte = 0;
        if (access == PA_ACCESS_READ_WRITE) {
          model[i].byte = (unsigned char)step;
          *page(base, i) = (char)step;
        }
      }
    }
    if (step % 10 == 0 && !is_as_modelled(arena, base)) bad = 1;
    if (step % 200 == 0 && !is_flagged_as_modelled(base)) bad = 1;
    if (bad) printf("step %d, kind %d, %d pages from %d: %s\n", step, kind, (int)pages, (int)first,
                    pa_strerror(status));
  }
  HOLDS(!bad && is_as_modelled(arena, base) && is_flagged_as_modelled(base));
  for (size_t i = 0; i < MODEL; i++) {
    if (model[i].run != 0) IS(PA_OK, pa_free(arena, page(base, i), 1));
  }
  IS(PA_OK, pa_free(arena, wall, 1));
  HOLDS(figures(arena).in_use_bytes == 0 && figures(arena).inaccessible_bytes == 0);
  base = pa_alloc_zeroed(arena, MODEL, NULL);
  HOLDS(base && holds_byte(base, MODEL, 0));
  memset(base, 1, MODEL * PA_PAGE_SIZE);
  pa_destroy(arena);
}

/* ---- Handles */

static void test_cache(void) {
  pa_arena *arena = make(NULL);
  pa_cache *cache = NULL;
  IS(PA_OK, pa_cache_create(arena, &cache));
  void *runs[100];
  for (size_t i = 0; i < 100; i++) {
    pa_status status = -1;
    runs[i] = pa_cache_alloc(cache, i % 9 + 1, &status);
    HOLDS(runs[i] && status == PA_OK);
    memset(runs[i], (int)i, (i % 9 + 1) * PA_PAGE_SIZE);
  }
  for (size_t i = 0; i < 100; i++) {
    HOLDS(holds_byte(runs[i], i % 9 + 1, (unsigned char)i));
    if (i % 2) {
      IS(PA_OK, pa_cache_free(cache, runs[i], i % 9 + 1));
    } else {
      IS(PA_OK, pa_free(arena, runs[i], i % 9 + 1));
    }
  }
  IS(PA_NOT_IN_USE, pa_cache_free(cache, runs[0], 1));
  IS(PA_MISALIGNED, pa_cache_free(cache, (char *)runs[0] + 1, 1));
  IS(PA_OK, pa_release_all(arena, NULL));
  HOLDS(figures(arena).in_use_bytes == 0);
  /* The arena waits for the handle. */
  void *last = pa_cache_alloc(cache, 5, NULL);
  pa_destroy(arena);
  memset(last, 1, 5 * PA_PAGE_SIZE);
  IS(PA_OK, pa_cache_free(cache, last, 5));
  pa_cache_destroy(cache);
  pa_cache_destroy(NULL);
}

/* ---- Going back */

static void test_release(void) {
  pa_options options = PA_OPTIONS_INIT;
  options.huge_pages = PA_HUGE_PAGES_AVOID;
  pa_arena *arena = make(&options);
  void *run = pa_alloc(arena, 4096, NULL);
  memset(run, 1, (size_t)4096 * PA_PAGE_SIZE);
  IS(PA_OK, pa_free(arena, run, 4096));
  uint64_t bytes = 0, resident = 0;
  const pa_status lazily = pa_release_lazy(arena, &bytes);
  HOLDS((lazily == PA_OK && bytes >= 32 << 20) || pa_errno(lazily) == EINVAL);
  IS(PA_OK, pa_release(arena, 1 << 20, &bytes));
  HOLDS(bytes >= 1 << 20);
  IS(PA_OK, pa_release_all(arena, &bytes));
  HOLDS(figures(arena).free_maybe_resident_bytes == 0);
  const pa_status measured = pa_measure_resident(arena, &resident);
  HOLDS(measured != PA_OK || resident == 0);
  IS(PA_OK, pa_release(arena, UINT64_MAX, NULL));
  IS(PA_OK, pa_release_all(arena, NULL));
  uint64_t gathered = 1;
  IS(PA_OK, pa_collapse(arena, &gathered));
  HOLDS(gathered == 0);
  pa_destroy(arena);
}

static void test_steps(void) {
  pa_options options = PA_OPTIONS_INIT;
  options.huge_pages = PA_HUGE_PAGES_AVOID;
  options.cpu_share = 1;
  pa_arena *arena = make(&options);
  void *run = pa_alloc(arena, 4096, NULL);
  memset(run, 1, (size_t)4096 * PA_PAGE_SIZE);
  IS(PA_OK, pa_free(arena, run, 4096));
  uint64_t wait = 0;
  int steps = 0;
  for (; steps < 1000; steps++) {
    IS(PA_OK, pa_scavenge_step(arena, &wait));
    if (wait == UINT64_MAX) break;
    usleep((useconds_t)(wait / 1000 + 1));
  }
  HOLDS(wait == UINT64_MAX && steps > 1);
  const pa_statistics now = figures(arena);
  HOLDS(now.free_maybe_resident_bytes <= 2 << 20);
  HOLDS(now.background_bytes >= 30 << 20);
  pa_destroy(arena);
  options.scavenging = PA_SCAVENGE_ON_REQUEST;
  arena = make(&options);
  IS(PA_BAD_SCAVENGING, pa_scavenge_step(arena, NULL));
  pa_destroy(arena);
}

/* Who hears of stalls for the library's thread is an arena that has it: none that ends unseen. */
static void test_pressure(void) {
  pa_options options = PA_OPTIONS_INIT;
  options.flags = PA_WATCH_PRESSURE;
  pa_arena *others[2];
  for (uint32_t i = 0; i < 2; i++) {
    options.scavenging = i == 0 ? PA_SCAVENGE_ON_REQUEST : PA_SCAVENGE_BY_STEPS;
    others[i] = make(&options);
  }
  options.scavenging = PA_SCAVENGE_IN_BACKGROUND;
  pa_arena *arena = make(&options);
  for (int i = 0; i < 2; i++) pa_destroy(others[i]);
  for (int i = 0; i < 5; i++) {
    void *run = pa_alloc(arena, 4000, NULL);
    memset(run, 1, (size_t)4000 * PA_PAGE_SIZE);
    IS(PA_OK, pa_free(arena, run, 4000));
    usleep(20000);
  }
  pa_destroy(arena);
}

static void test_limits(void) {
  pa_arena *arena = make(NULL);
  pa_status status = -1;
  IS(PA_OK, pa_set_limits(arena, 0, 16 << 20));
  void *run = pa_alloc(arena, 1024, &status);
  HOLDS(run && status == PA_OK);
  HOLDS(pa_alloc(arena, 2048, &status) == NULL && status == PA_LIMIT_REACHED);
  HOLDS(figures(arena).limit_refusals == 1);
  IS(PA_BAD_MEMORY_LIMIT, pa_set_limits(arena, 2, 1));
  IS(PA_BAD_MEMORY_LIMIT, pa_set_group_limit(arena, 0));
  IS(PA_BAD_MEMORY_LIMIT, pa_set_group_limit(arena, 1.5));
  uint64_t soft = 1, hard = 0;
  IS(PA_OK, pa_get_limits(arena, &soft, &hard));
  HOLDS(soft == 16 << 20 && hard == 16 << 20);
  IS(PA_OK, pa_get_limits(arena, NULL, NULL));
  IS(PA_OK, pa_set_limits(arena, 0, 0));
  IS(PA_OK, pa_free(arena, run, 1024));
  HOLDS(pa_alloc(arena, 1 << 19, &status) == NULL && status == PA_BAD_PAGE_COUNT);
  pa_destroy(arena);
}

/* What a program can do without, and how often it was asked. */
typedef struct {
  pa_arena *arena;
  pa_pool *pool;
  char *spare;
  int calls;
  size_t asked;
} program;

static int gives_spare(void *context, size_t asked) {
  program *its = context;
  its->calls++;
  its->asked = asked;
  /* What is refused here asks nobody. */
  pa_status status = -1;
  if (its->arena) HOLDS(!pa_alloc(its->arena, 4000, &status) && status == PA_LIMIT_REACHED);
  char *spare = its->spare;
  its->spare = NULL;
  if (!spare) return 0;
  /* In an arena a part of it may only be read: its free takes the door's own turn. */
  IS(PA_OK, its->arena ? pa_free_run(its->arena, spare) : pa_pool_free_run(its->pool, spare));
  return 1;
}

static int replaces_itself(void *context, size_t asked) {
  program *its = context;
  its->calls++;
  its->asked = asked;
  IS(PA_OK, pa_on_limit(its->arena, NULL, NULL));
  return 0;
}

static void test_on_limit(void) {
  pa_arena *arena = make(NULL);
  program its = {.arena = arena};
  pa_status status = -1;
  IS(PA_BAD_ARGUMENT, pa_on_limit(NULL, gives_spare, &its));
  IS(PA_OK, pa_set_limits(arena, 0, 16 << 20));
  IS(PA_OK, pa_on_limit(arena, gives_spare, &its));
  its.spare = pa_alloc(arena, 1500, &status);
  IS(PA_OK, pa_protect(arena, its.spare, 100, PA_ACCESS_READ));
  char *run = pa_alloc(arena, 1000, &status);
  HOLDS(run && status == PA_OK && its.calls == 1 && its.asked == 1000);
  HOLDS(!pa_alloc(arena, 1100, &status) && status == PA_LIMIT_REACHED && its.calls == 2);
  /* The one that failed, and two in the handler. */
  HOLDS(figures(arena).limit_refusals == 3);
  /* A run that is set apart: the door's turn is free meanwhile. */
  IS(PA_OK, pa_decommit(arena, run, 900));
  its.spare = pa_alloc(arena, 1500, &status);
  HOLDS(its.spare && its.calls == 2);
  IS(PA_OK, pa_protect(arena, its.spare, 100, PA_ACCESS_READ));
  IS(PA_OK, pa_commit(arena, run, 900));
  HOLDS(its.calls == 3 && its.asked == 900);
  IS(PA_OK, pa_on_limit(arena, replaces_itself, &its));
  HOLDS(!pa_alloc(arena, 1100, &status) && status == PA_LIMIT_REACHED && its.calls == 4);
  HOLDS(!pa_alloc(arena, 1100, &status) && status == PA_LIMIT_REACHED && its.calls == 4);
  /* Nothing calls it any more once the arena was destroyed, though a handle keeps that. */
  pa_cache *cache = NULL;
  IS(PA_OK, pa_cache_create(arena, &cache));
  IS(PA_OK, pa_on_limit(arena, gives_spare, &its));
  pa_destroy(arena);
  HOLDS(!pa_cache_alloc(cache, 4000, &status) && status == PA_LIMIT_REACHED && its.calls == 4);
  pa_cache_destroy(cache);

  pa_pool *pool = NULL;
  pa_options options = PA_OPTIONS_INIT;
  options.hard_limit_bytes = 16 << 20;
  IS(PA_OK, pa_pool_create(&options, &pool));
  program ours = {.pool = pool};
  IS(PA_BAD_ARGUMENT, pa_pool_on_limit(NULL, gives_spare, &ours));
  IS(PA_OK, pa_pool_on_limit(pool, gives_spare, &ours));
  ours.spare = pa_pool_alloc(pool, 1500, &status);
  HOLDS(pa_pool_alloc(pool, 1000, &status) && status == PA_OK && ours.calls == 1);
  HOLDS(!pa_pool_alloc(pool, 1100, &status) && status == PA_LIMIT_REACHED && ours.calls == 2);
  IS(PA_OK, pa_pool_on_limit(pool, NULL, NULL));
  HOLDS(!pa_pool_alloc(pool, 1100, &status) && status == PA_LIMIT_REACHED && ours.calls == 2);
  pa_pool_destroy(pool);
}

/* ---- Figures */

static void test_figures(void) {
  pa_arena *arena = make(NULL);
  void *run = pa_alloc(arena, 10, NULL);
  pa_statistics now = figures(arena);
  HOLDS(now.in_use_bytes == 10 * PA_PAGE_SIZE);
  HOLDS(now.in_use_bytes + now.free_maybe_resident_bytes + now.scavenged_bytes == now.ready_bytes);
  /* Room for two figures alone: nothing behind them is written. */
  memset(&now, 0x77, sizeof now);
  now.size = 24;
  IS(PA_OK, pa_get_statistics(arena, &now));
  HOLDS(now.size == 24 && now.reserved_bytes >= 64 << 20 && now.ready_bytes == 4 << 20);
  HOLDS(now.in_use_bytes == UINT64_C(0x7777777777777777));
  now.size = 7;
  IS(PA_BAD_SIZE, pa_get_statistics(arena, &now));
  IS(PA_BAD_ARGUMENT, pa_get_statistics(arena, NULL));

  char text[2048], part[20];
  size_t length = 0, all = 0;
  IS(PA_OK, pa_statistics_json(arena, text, sizeof text, &length));
  HOLDS(length == strlen(text) && text[0] == '{' && text[length - 1] == '}');
  HOLDS(strstr(text, "\"inUseBytes\":81920,") != NULL);
  HOLDS(strstr(text, "\"returned\":{\"backgroundBytes\":0,") != NULL);
  memset(part, 'x', sizeof part);
  IS(PA_TRUNCATED, pa_statistics_json(arena, part, sizeof part - 1, &all));
  HOLDS(all == length && strncmp(part, text, sizeof part - 2) == 0);
  HOLDS(part[sizeof part - 2] == 0 && part[sizeof part - 1] == 'x');
  IS(PA_TRUNCATED, pa_statistics_json(arena, NULL, 0, &all));
  HOLDS(all == length);
  IS(PA_OK, pa_statistics_json(arena, text, length + 1, NULL));
  IS(PA_TRUNCATED, pa_statistics_json(arena, text, length, NULL));
  IS(PA_BAD_ARGUMENT, pa_statistics_json(arena, NULL, 1, NULL));
  IS(PA_OK, pa_free(arena, run, 10));
  pa_destroy(arena);
}

static void test_status(void) {
  for (pa_status status = -5; status < 60; status++) {
    HOLDS(pa_strerror(status) != NULL && strlen(pa_strerror(status)) > 3);
    HOLDS(pa_errno(status) == 0);
  }
  HOLDS(pa_errno(PA_SYSTEM + ENOMEM) == ENOMEM);
  HOLDS(strstr(pa_strerror(PA_SYSTEM + ENOMEM), "ENOMEM") != NULL);
  HOLDS(strcmp(pa_strerror(PA_OK), pa_strerror(PA_MISALIGNED)) != 0);
  HOLDS(strlen(pa_strerror(INT32_MAX)) > 3 && strlen(pa_strerror(INT32_MIN)) > 3);
}

/* ---- Regions */

static void test_region(void) {
  const size_t kernel = (size_t)sysconf(_SC_PAGESIZE);
  pa_region *region = NULL;
  IS(PA_OK, pa_region_create(64 << 20, 1 << 20, 0, &region));
  char *start = (char *)pa_region_start(region);
  HOLDS(start && pa_region_size(region) == 0 && pa_region_committed(region) == 0);
  HOLDS(faults(start));
  IS(PA_OK, pa_region_grow(region, 1 << 20));
  HOLDS(pa_region_size(region) == 1 << 20 && holds_byte(start, (1 << 20) / PA_PAGE_SIZE, 0));
  memset(start, 4, 1 << 20);
  IS(PA_OK, pa_region_decommit(region, 1 << 16, 1 << 16));
  HOLDS(pa_region_committed(region) == (1 << 20) - (1 << 16) && faults(start + (1 << 16)));
  IS(PA_NOT_COMMITTED, pa_region_protect(region, 0, 1 << 20, PA_ACCESS_READ));
  IS(PA_OK, pa_region_commit(region, 0, 1 << 20));
  HOLDS(holds_byte(start + (1 << 16), 8, 0) && start[0] == 4);
  IS(PA_OK, pa_region_discard(region, 0, 1 << 16));
  HOLDS(start[0] == 0 && start[1 << 17] == 4);
  IS(PA_OK, pa_region_protect(region, 1 << 17, 1 << 16, PA_ACCESS_READ));
  HOLDS(faults(start + (1 << 17)) && start[1 << 17] == 4);
  IS(PA_WRITABLE_CODE, pa_region_protect(region, 0, 1 << 16, PA_ACCESS_READ_WRITE_EXECUTE));
  IS(PA_OK, pa_region_reset(region));
  HOLDS(!faults(start + (1 << 17)) && start[1 << 17] == 0);
  IS(PA_OK, pa_region_shrink(region, kernel));
  HOLDS(pa_region_size(region) == kernel && faults(start + kernel));

  /* Bad input. */
  pa_region *none = region;
  IS(PA_BAD_BYTE_COUNT, pa_region_create(0, 0, 0, &none));
  HOLDS(none == NULL);
  IS(PA_BAD_BYTE_COUNT, pa_region_create(SIZE_MAX, 0, 0, &none));
  IS(PA_BAD_GUARD, pa_region_create(1 << 20, SIZE_MAX, 0, &none));
  IS(PA_BAD_ARGUMENT, pa_region_create(1 << 20, 0, 1, &none));
  IS(PA_BAD_ARGUMENT, pa_region_create(1 << 20, 0, 0, NULL));
  IS(PA_OUT_OF_BOUNDS, pa_region_grow(region, (64 << 20) + 1));
  IS(PA_OUT_OF_BOUNDS, pa_region_grow(region, SIZE_MAX));
  IS(PA_OUT_OF_BOUNDS, pa_region_shrink(region, SIZE_MAX));
  IS(PA_OUT_OF_BOUNDS, pa_region_decommit(region, kernel, kernel));
  IS(PA_OUT_OF_BOUNDS, pa_region_commit(region, SIZE_MAX, kernel));
  IS(PA_OUT_OF_BOUNDS, pa_region_discard(region, kernel, SIZE_MAX));
  IS(PA_PART_OF_KERNEL_PAGE, pa_region_decommit(region, 0, 1));
  IS(PA_PART_OF_KERNEL_PAGE, pa_region_discard(region, 1, 1));
  IS(PA_BAD_ARGUMENT, pa_region_protect(region, 0, kernel, 5));
  IS(PA_BAD_ARGUMENT, pa_region_grow(NULL, 1));
  IS(PA_BAD_ARGUMENT, pa_region_shrink(NULL, 1));
  IS(PA_BAD_ARGUMENT, pa_region_commit(NULL, 0, 1));
  IS(PA_BAD_ARGUMENT, pa_region_decommit(NULL, 0, 1));
  IS(PA_BAD_ARGUMENT, pa_region_discard(NULL, 0, 1));
  IS(PA_BAD_ARGUMENT, pa_region_protect(NULL, 0, 1, 0));
  IS(PA_BAD_ARGUMENT, pa_region_reset(NULL));
  HOLDS(pa_region_start(NULL) == NULL && pa_region_size(NULL) == 0);
  HOLDS(pa_region_committed(NULL) == 0);
  pa_region_destroy(region);
  pa_region_destroy(NULL);
}

/* ---- Threads */

enum { THREADS = 4, STEPS = 40000, KEPT = 64 };
static pa_arena *shared;
static pa_cache *handles[THREADS];
static int broken;

static void *work(void *argument) {
  const size_t number = (size_t)(uintptr_t)argument;
  pa_cache *cache = number % 2 ? handles[number] : NULL;
  uint64_t random = number * 77 + 1;
  void *runs[KEPT] = {NULL};
  size_t pages[KEPT] = {0};
  for (int step = 0; step < STEPS; step++) {
    random = random * UINT64_C(6364136223846793005) + 1442695040888963407u;
    const size_t place = random >> 40 & (KEPT - 1);
    if (runs[place]) {
      const size_t *words = (const size_t *)runs[place];
      const size_t last = pages[place] * PA_PAGE_SIZE / sizeof *words - 1;
      if (words[0] != (number << 32 / 2 | place) || words[last] != words[0]) broken = 1;
      const pa_status status = cache ? pa_cache_free(cache, runs[place], pages[place])
                                     : pa_free(shared, runs[place], pages[place]);
      if (status != PA_OK) broken = 1;
      runs[place] = NULL;
    } else {
      pages[place] = random >> 50 & 15 ? (random >> 50 & 15) : 200;
      runs[place] = cache ? pa_cache_alloc(cache, pages[place], NULL)
                          : pa_alloc(shared, pages[place], NULL);
      if (!runs[place]) {
        broken = 1;
        continue;
      }
      size_t *words = (size_t *)runs[place];
      words[0] = number << 32 / 2 | place;
      words[pages[place] * PA_PAGE_SIZE / sizeof *words - 1] = words[0];
    }
    if (number == 0 && step % 1000 == 0) (void)pa_scavenge_step(shared, NULL);
  }
  for (size_t place = 0; place < KEPT; place++) {
    if (runs[place] && pa_free(shared, runs[place], pages[place]) != PA_OK) broken = 1;
  }
  return NULL;
}

static void test_threads(void) {
  shared = make(NULL);
  pthread_t threads[THREADS];
  for (size_t i = 0; i < THREADS; i++) IS(PA_OK, pa_cache_create(shared, &handles[i]));
  for (size_t i = 0; i < THREADS; i++) {
    HOLDS(pthread_create(&threads[i], NULL, work, (void *)(uintptr_t)i) == 0);
  }
  for (size_t i = 0; i < THREADS; i++) HOLDS(pthread_join(threads[i], NULL) == 0);
  HOLDS(!broken);
  for (size_t i = 0; i < THREADS; i++) pa_cache_destroy(handles[i]);
  IS(PA_OK, pa_release_all(shared, NULL));
  const pa_statistics now = figures(shared);
  HOLDS(now.in_use_bytes == 0 && now.free_maybe_resident_bytes == 0);
  pa_destroy(shared);
}

/* ---- Pools */

static pa_statistics pool_figures(pa_pool *pool) {
  pa_statistics now;
  now.size = sizeof now;
  IS(PA_OK, pa_pool_get_statistics(pool, &now));
  return now;
}

static void test_pool(void) {
  pa_pool *pool = NULL;
  pa_status status = -1;
  bool is_zero = false;
  uint64_t bytes = 0, soft = 1, hard = 1;
  IS(PA_OK, pa_pool_create(NULL, &pool));
  void *run = pa_pool_alloc(pool, 12, &status), *other = pa_pool_alloc(pool, 1, NULL);
  HOLDS(run && other && status == PA_OK);
  memset(run, 5, 12 * PA_PAGE_SIZE);
  memset(other, 6, PA_PAGE_SIZE);
  pa_run found;
  found.size = sizeof found;
  IS(PA_OK, pa_pool_find(pool, page(run, 11) + 1, &found));
  HOLDS(found.start == run && found.pages == 12 && found.arena == NULL);
  IS(PA_NOT_IN_USE, pa_find(NULL, run, &found));
  /* Parts of it, in place. */
  IS(PA_OK, pa_pool_free(pool, page(run, 4), 4));
  IS(PA_NOT_IN_USE, pa_pool_free(pool, page(run, 4), 4));
  IS(PA_OK, pa_pool_alloc_at(pool, page(run, 4), 2, PA_ZEROED));
  IS(PA_NOT_FREE, pa_pool_alloc_at(pool, page(run, 4), 1, 0));
  HOLDS(holds_byte(page(run, 4), 2, 0) && holds_byte(run, 4, 5) && holds_byte(page(run, 8), 4, 5));
  IS(PA_OK, pa_pool_extend(pool, page(run, 4), 4, PA_ZEROED));
  HOLDS(holds_byte(page(run, 4), 4, 0));
  IS(PA_NOT_FREE, pa_pool_extend(pool, page(run, 4), 5, 0));
  IS(PA_OK, pa_pool_discard(pool, page(run, 2), 8));
  HOLDS(holds_byte(run, 2, 5) && holds_byte(page(run, 2), 8, 0) && holds_byte(page(run, 10), 2, 5));
  status = pa_pool_purge_lazy(pool, run, 12);
  HOLDS(status == PA_OK || pa_errno(status) == EINVAL);
  IS(PA_OK, pa_pool_free_range(pool, page(run, 3), 6));
  IS(PA_OK, pa_pool_free_discarded(pool, run, 3));
  IS(PA_OK, pa_pool_free_run(pool, page(run, 9)));
  IS(PA_NOT_A_START, pa_pool_free_run(pool, page(run, 9)));
  HOLDS(holds_byte(other, 1, 6) && pool_figures(pool).in_use_bytes == PA_PAGE_SIZE);
  /* It moves, with what is in it. */
  run = pa_pool_resize(pool, other, 700, PA_ZEROED, &status);
  HOLDS(run && status == PA_OK && holds_byte(run, 1, 6) && holds_byte(page(run, 1), 699, 0));
  memset(run, 7, 700 * PA_PAGE_SIZE);
  IS(PA_OK, pa_pool_free_run(pool, run));
  run = pa_pool_alloc_with(pool, 700, 1 << 16, PA_ZEROED, &is_zero, &status);
  HOLDS(run && is_zero && (uintptr_t)run % (1 << 16) == 0 && holds_byte(run, 700, 0));
  memset(run, 7, 700 * PA_PAGE_SIZE);
  /* Memory goes back. */
  IS(PA_OK, pa_pool_set_limits(pool, 0, 16 << 20));
  HOLDS(pa_pool_alloc(pool, 2048, &status) == NULL && status == PA_LIMIT_REACHED);
  IS(PA_OK, pa_pool_get_limits(pool, &soft, &hard));
  HOLDS(soft == 16 << 20 && hard == 16 << 20);
  IS(PA_OK, pa_pool_set_limits(pool, 0, 0));
  IS(PA_OK, pa_pool_free(pool, run, 700));
  IS(PA_OK, pa_pool_scavenge_step(pool, &bytes));
  status = pa_pool_release_lazy(pool, &bytes);
  HOLDS(status == PA_OK || pa_errno(status) == EINVAL);
  IS(PA_OK, pa_pool_release(pool, 1 << 20, &bytes));
  IS(PA_OK, pa_pool_release_all(pool, NULL));
  const pa_statistics now = pool_figures(pool);
  HOLDS(now.in_use_bytes == 0 && now.free_maybe_resident_bytes == 0);
  status = pa_pool_measure_resident(pool, &bytes);
  HOLDS(status != PA_OK || bytes == 0);
  char text[2048];
  IS(PA_OK, pa_pool_statistics_json(pool, text, sizeof text, NULL));
  HOLDS(strstr(text, "\"inUseBytes\":0,") != NULL);
  pa_pool_destroy(pool);

  pa_options options = PA_OPTIONS_INIT;
  options.reserve_bytes = UINT64_C(65) << 40;
  IS(PA_BAD_RESERVATION, pa_pool_create(&options, &pool));
  HOLDS(pool == NULL);
  options.reserve_bytes = 1;
  options.scavenging = PA_SCAVENGE_ON_REQUEST;
  IS(PA_OK, pa_pool_create(&options, &pool));
  IS(PA_BAD_SCAVENGING, pa_pool_scavenge_step(pool, NULL));
  pa_pool_destroy(pool);
}

/* More than an arena has; what no arena can have makes none. */
static void test_pool_beyond_an_arena(void) {
  if (sizeof(void *) < 8) return;
  enum { MANY = 5, EACH = 200000 };
  pa_pool *pool = NULL;
  pa_status status = -1;
  IS(PA_OK, pa_pool_create(NULL, &pool));
  const uint64_t reserved = pool_figures(pool).reserved_bytes;
  HOLDS(pa_pool_alloc_with(pool, EACH * 2, (size_t)1 << 31, 0, NULL, &status) == NULL);
  HOLDS(status == PA_OUT_OF_MEMORY && pool_figures(pool).reserved_bytes == reserved);
  char *runs[MANY];
  for (size_t i = 0; i < MANY; i++) {
    runs[i] = pa_pool_alloc(pool, EACH, &status);
    if (!runs[i]) {
      /* As much is committed as the system commits, which may be less. */
      HOLDS(status >= PA_SYSTEM);
      printf("a pool of 4 GiB alone: %s\n", pa_strerror(status));
      pa_pool_destroy(pool);
      return;
    }
    *runs[i] = *(page(runs[i], EACH) - 1) = (char)i;
  }
  HOLDS(pool_figures(pool).reserved_bytes > reserved);
  HOLDS(pool_figures(pool).in_use_bytes == (uint64_t)MANY * EACH * PA_PAGE_SIZE);
  for (size_t i = 0; i < MANY; i++) {
    HOLDS(*runs[i] == (char)i && *(page(runs[i], EACH) - 1) == (char)i);
    IS(PA_OK, pa_pool_free(pool, runs[i], EACH));
  }
  pa_pool_destroy(pool);
}

static pa_pool *shared_pool;

static void *churn_pool(void *unused) {
  void *runs[8] = {NULL};
  for (size_t i = 0; i < 20000; i++) {
    const size_t place = i % 8, pages = i / 8 % 3 + 1;
    if (runs[place]) {
      if (*(size_t *)runs[place] != place || pa_pool_free_run(shared_pool, runs[place])) broken = 1;
    }
    runs[place] = pa_pool_alloc(shared_pool, pages, NULL);
    if (!runs[place]) return broken = 1, unused;
    *(size_t *)runs[place] = place;
  }
  for (size_t i = 0; i < 8; i++) broken |= pa_pool_free_run(shared_pool, runs[i]);
  return unused;
}

static void test_pool_threads(void) {
  pthread_t threads[THREADS];
  IS(PA_OK, pa_pool_create(NULL, &shared_pool));
  broken = 0;
  for (size_t i = 0; i < THREADS; i++) {
    HOLDS(pthread_create(&threads[i], NULL, churn_pool, NULL) == 0);
  }
  for (size_t i = 0; i < THREADS; i++) HOLDS(pthread_join(threads[i], NULL) == 0);
  HOLDS(!broken && pool_figures(shared_pool).in_use_bytes == 0);
  pa_pool_destroy(shared_pool);
  /* A child frees what its parent took. */
  pa_options options = PA_OPTIONS_INIT;
  for (int is_manual = 0; is_manual < 2; is_manual++) {
    options.flags = is_manual ? PA_FORK_MANUAL : 0;
    IS(PA_OK, pa_pool_create(&options, &shared_pool));
    void *run = pa_pool_alloc(shared_pool, 3, NULL);
    IS(PA_OK, pa_pool_fork_prepare(shared_pool));
    const pid_t child = fork();
    if (child == 0) {
      alarm(20);
      if (pa_pool_fork_child(shared_pool) || pa_pool_free(shared_pool, run, 3)) _exit(1);
      _exit(pa_pool_alloc(shared_pool, 600, NULL) == NULL);
    }
    IS(PA_OK, pa_pool_fork_parent(shared_pool));
    int end = -1;
    HOLDS(child > 0 && waitpid(child, &end, 0) == child && end == 0);
    IS(PA_OK, pa_pool_free(shared_pool, run, 3));
    pa_pool_destroy(shared_pool);
  }
}

/* ---- fork */

static volatile int goes_on;

static void *churn(void *argument) {
  pa_arena *arena = (pa_arena *)argument;
  for (size_t i = 0; goes_on; i++) {
    void *run = pa_alloc(arena, i % 200 + 1, NULL);
    if (run) (void)pa_free(arena, run, i % 200 + 1);
  }
  return NULL;
}

/* What a child finds of its parent's arena. */
static int child_works(pa_arena *arena, void *run) {
  if (!holds_byte(run, 4, 6) || !faults(page(run, 5))) return 1;
  if (pa_free(arena, run, 8) != PA_OK) return 2;
  void *other = pa_alloc_zeroed(arena, 300, NULL);
  if (!other || !holds_byte(other, 300, 0)) return 3;
  memset(other, 1, 300 * PA_PAGE_SIZE);
  pa_arena *own = NULL;
  if (pa_create(NULL, &own) != PA_OK || !pa_alloc(own, 1, NULL)) return 4;
  pa_destroy(own);
  return 0;
}

static void fork_beside_threads(pa_arena *arena, int is_manual) {
  pthread_t threads[2];
  void *run = pa_alloc(arena, 8, NULL);
  memset(run, 6, 8 * PA_PAGE_SIZE);
  IS(PA_OK, pa_protect(arena, page(run, 4), 4, PA_ACCESS_NONE));
  goes_on = 1;
  for (int i = 0; i < 2; i++) HOLDS(pthread_create(&threads[i], NULL, churn, arena) == 0);
  int bad = 0;
  for (int i = 0; i < forks; i++) {
    if (is_manual) bad |= pa_fork_prepare(arena);
    const pid_t child = fork();
    if (child == 0) {
      if (is_manual) (void)pa_fork_child(arena);
      alarm(20);
      _exit(child_works(arena, run));
    }
    if (is_manual) bad |= pa_fork_parent(arena);
    int end = -1;
    if (child < 0 || waitpid(child, &end, 0) != child || end != 0) bad = 1;
  }
  HOLDS(!bad);
  goes_on = 0;
  for (int i = 0; i < 2; i++) HOLDS(pthread_join(threads[i], NULL) == 0);
  IS(PA_OK, pa_free(arena, run, 8));
}

static volatile int is_made;

static void *make_one(void *unused) {
  pa_arena *arena = NULL;
  if (pa_create(NULL, &arena) == PA_OK) is_made = 1;
  pa_destroy(arena);
  return unused;
}

/* To hold an arena twice, and to let it go that is not held, keeps nobody from anything. */
static void test_fork_calls(void) {
  pa_options options = PA_OPTIONS_INIT;
  options.flags = PA_FORK_MANUAL;
  pa_arena *arena = make(&options), *other = make(&options);
  IS(PA_OK, pa_fork_parent(arena));
  IS(PA_OK, pa_fork_child(arena));
  IS(PA_OK, pa_fork_prepare(arena));
  IS(PA_OK, pa_fork_prepare(other));
  IS(PA_OK, pa_fork_prepare(arena));
  for (int i = 0; i < 2; i++) {
    IS(PA_OK, pa_fork_parent(arena));
    IS(PA_OK, pa_fork_parent(other));
  }
  pthread_t thread;
  HOLDS(pthread_create(&thread, NULL, make_one, NULL) == 0);
  for (int looks = 0; looks < 500 && !is_made; looks++) usleep(10000);
  HOLDS(is_made);
  if (!is_made) {
    /* Nor would any other be. */
    printf("%d passed, %d failed\n", passed, failed);
    exit(1);
  }
  HOLDS(pthread_join(thread, NULL) == 0);
  pa_destroy(other);
  pa_destroy(arena);
}

static void test_fork(void) {
  pa_arena *arena = make(NULL);
  fork_beside_threads(arena, 0);
  pa_destroy(arena);
  pa_options options = PA_OPTIONS_INIT;
  options.flags = PA_FORK_MANUAL;
  arena = make(&options);
  fork_beside_threads(arena, 1);
  pa_destroy(arena);
  arena = make(NULL);
  /* Of no use to an arena that is not manual, and harmless. */
  IS(PA_OK, pa_fork_prepare(arena));
  IS(PA_OK, pa_fork_parent(arena));
  IS(PA_OK, pa_fork_child(arena));
  pa_destroy(arena);
}

/* ---- Many of everything: the objects' own memory goes round */

static void test_many(void) {
  enum { MANY = 40 };
  for (int round = 0; round < 5; round++) {
    pa_arena *arenas[MANY];
    pa_cache *caches[MANY];
    pa_region *regions[MANY];
    pa_options options = PA_OPTIONS_INIT;
    options.reserve_bytes = 64 << 20;
    for (int i = 0; i < MANY; i++) {
      arenas[i] = make(&options);
      IS(PA_OK, pa_cache_create(arenas[i], &caches[i]));
      IS(PA_OK, pa_region_create(1 << 20, 0, 0, &regions[i]));
      void *run = pa_cache_alloc(caches[i], 1, NULL);
      pa_run found;
      found.size = sizeof found;
      IS(PA_OK, pa_find(NULL, run, &found));
      HOLDS(found.arena == arenas[i] && found.start == run);
      IS(PA_OK, pa_free(arenas[i], run, 1));
    }
    for (int i = 0; i < MANY; i++) {
      pa_cache_destroy(caches[i]);
      pa_destroy(arenas[i]);
      pa_region_destroy(regions[i]);
    }
  }
}

/* What the handler of a signal calls. */
static struct {
  pa_arena *arena;
  pa_pool *pool;
  void *run, *apart;
  volatile int calls, refusals, faults;
} handled;

static void in_handler(int number) {
  (void)number;
  pa_run found = {.size = sizeof found};
  pa_statistics now = {.size = sizeof now};
  char text[8];
  const pa_status answers[] = {
      pa_protect(handled.arena, handled.apart, 2, PA_ACCESS_NONE),
      pa_protect(handled.arena, handled.apart, 1, PA_ACCESS_READ_WRITE),
      pa_find(handled.arena, handled.run, &found),
      pa_find(NULL, handled.apart, &found),
      pa_get_statistics(handled.arena, &now),
      pa_statistics_json(handled.arena, text, sizeof text, NULL),
      pa_get_limits(handled.arena, NULL, NULL),
      pa_pool_set_limits(handled.pool, 0, 3u << 30),
      pa_pool_get_limits(handled.pool, NULL, NULL),
      pa_pool_get_statistics(handled.pool, &now),
      pa_pool_find(handled.pool, handled.run, &found),
  };
  for (size_t i = 0; i < sizeof answers / sizeof *answers; i++) {
    if (answers[i] == PA_REENTERED) {
      handled.refusals++;
    } else if (answers[i] != PA_OK && answers[i] != PA_TRUNCATED && answers[i] != PA_NOT_IN_USE) {
      handled.faults++;
    }
  }
  handled.calls++;
}

/* A handler's calls are served or refused: none of them waits for its own thread, or ends it. */
static void test_handlers(void) {
  handled.arena = make(NULL);
  handled.run = pa_alloc(handled.arena, 4, NULL);
  handled.apart = pa_alloc(handled.arena, 2, NULL);
  void *run = pa_alloc(handled.arena, 8, NULL);
  pa_options options = PA_OPTIONS_INIT;
  options.reserve_bytes = (uint64_t)(sizeof(void *) == 8 ? 8 : 1) << 30;
  IS(PA_OK, pa_pool_create(&options, &handled.pool));
  struct sigaction ours, before;
  memset(&ours, 0, sizeof ours);
  ours.sa_handler = in_handler;
  sigaction(SIGALRM, &ours, &before);
  const struct itimerval often = {{0, 200}, {0, 200}}, never = {{0, 0}, {0, 0}};
  setitimer(ITIMER_REAL, &often, NULL);
  const int wanted = forks < 20 ? 50 : 2000;
  int faults = 0;
  for (int i = 0; i < 2000000 && handled.calls < wanted; i++) {
    faults += pa_protect(handled.arena, run, 8, PA_ACCESS_NONE) != PA_OK;
    faults += pa_protect(handled.arena, run, 8, PA_ACCESS_READ_WRITE) != PA_OK;
    faults += pa_pool_set_limits(handled.pool, 0, (uint64_t)(1 + i % 2) << 30) != PA_OK;
    void *long_run = pa_alloc_aligned(handled.arena, 300, 1 << 14, NULL);
    faults += pa_free(handled.arena, long_run, 100) != PA_OK;
    faults += pa_free(handled.arena, (char *)long_run + 100 * PA_PAGE_SIZE, 200) != PA_OK;
  }
  setitimer(ITIMER_REAL, &never, NULL);
  sigaction(SIGALRM, &before, NULL);
  HOLDS(faults == 0);
  HOLDS(handled.faults == 0);
  HOLDS(handled.calls > 0);
  IS(PA_OK, pa_free(handled.arena, handled.apart, 2));
  pa_pool_destroy(handled.pool);
  pa_destroy(handled.arena);
}

/* With an argument: an emulator, which takes seconds for a fork beside threads that do not rest. */
int main(int argc, char **argv) {
  (void)argv;
  if (argc > 1) {
    forks = 3;
    printf("3 forks beside threads rather than 20: an emulator takes seconds for each\n");
  }
  test_create();
  test_bad_options();
  test_runs();
  test_parts();
  test_resize();
  test_find();
  test_contents();
  test_protect();
  test_huge_page_advice();
  test_commit();
  test_many_parts();
  test_checked();
  test_model();
  test_cache();
  test_release();
  test_steps();
  test_pressure();
  test_limits();
  test_on_limit();
  test_figures();
  test_status();
  test_region();
  test_handlers();
  test_many();
  test_threads();
  test_pool();
  test_pool_beyond_an_arena();
  test_pool_threads();
  test_fork_calls();
  test_fork();
  printf("%d passed, %d failed\n", passed, failed);
  return failed != 0;
}
