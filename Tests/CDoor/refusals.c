/* Refuses each call that the functions of pagealloc.h make to the kernel, in turn: the first, the
 * second, and so on, until a function makes no more. Whatever is refused, a function fails with
 * that error and has changed nothing, or does its work all the same; the same call succeeds
 * afterwards; nothing is lost. Linked with the archive alone, whose calls the linker gives to the
 * functions below (--wrap). The last line is `N passed, N failed`. */
#define _DEFAULT_SOURCE
#include "pagealloc.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

/* ---- The calls, and which of them are refused */

static struct {
  int armed;
  int error;   /* that it is refused with */
  int first;   /* the number of the first that is refused */
  int through; /* and of the last */
  int calls;   /* so far */
  int refused; /* of those */
  int halves;  /* a change of access is done for the first half of the memory, and refused then */
} kernel;
/* What is mapped, in bytes, but for what has replaced something. */
static long mapped;
static long whole(size_t length) { return (long)((length + 4095) & ~(size_t)4095); }

static int refuses(void) {
  if (!kernel.armed) return 0;
  const int number = kernel.calls++;
  if (number < kernel.first || number > kernel.through) return 0;
  kernel.refused++;
  errno = kernel.error;
  return 1;
}

void *__real_mmap(void *, size_t, int, int, int, off_t);
void *__wrap_mmap(void *address, size_t length, int protection, int flags, int file, off_t offset) {
  if (refuses()) return MAP_FAILED;
  void *memory = __real_mmap(address, length, protection, flags, file, offset);
  if (memory != MAP_FAILED && !(flags & MAP_FIXED)) mapped += whole(length);
  return memory;
}

/* Never refused: an end that the kernel refuses cannot but lose what it was about. */
int __real_munmap(void *, size_t);
int __wrap_munmap(void *address, size_t length) {
  mapped -= whole(length);
  return __real_munmap(address, length);
}

#define WRAP(name, parameters, arguments)                                                          \
  int __real_##name parameters;                                                                    \
  int __wrap_##name parameters { return refuses() ? -1 : __real_##name arguments; }
int __real_mprotect(void *, size_t, int);
int __wrap_mprotect(void *address, size_t length, int protection) {
  if (!refuses()) return __real_mprotect(address, length, protection);
  if (kernel.halves) (void)__real_mprotect(address, length / 2, protection);
  errno = kernel.error;
  return -1;
}
WRAP(mincore, (void *address, size_t length, unsigned char *flags), (address, length, flags))
WRAP(pipe2, (int *ends, int flags), (ends, flags))

/* qemu (7.2) says yes to an advice that it does not know, and does nothing: so it is refused here
 * as by a kernel that does not know it. */
static int refuses_locked;
enum { DONTNEED_LOCKED = 24 }; /* MADV_DONTNEED_LOCKED, of Linux 5.18 */

int __real_madvise(void *, size_t, int);
int __wrap_madvise(void *address, size_t length, int advice) {
  if (refuses()) return -1;
  if (refuses_locked && advice == DONTNEED_LOCKED) {
    errno = EINVAL;
    return -1;
  }
  return __real_madvise(address, length, advice);
}

static void probe_advice(void) {
  char *const memory = __real_mmap(NULL, PA_PAGE_SIZE, PROT_READ | PROT_WRITE,
                                   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) return;
  *memory = 7;
  refuses_locked = __real_madvise(memory, PA_PAGE_SIZE, DONTNEED_LOCKED) == 0 && *memory == 7;
  (void)__real_munmap(memory, PA_PAGE_SIZE);
  if (refuses_locked) {
    printf("MADV_DONTNEED_LOCKED is refused: the system takes it, and does nothing\n");
  }
}

/* These return the error. */
#define WRAP_THREADS(name, parameters, arguments)                                                  \
  int __real_##name parameters;                                                                    \
  int __wrap_##name parameters { return refuses() ? kernel.error : __real_##name arguments; }
WRAP_THREADS(pthread_create,
             (pthread_t *thread, const pthread_attr_t *attributes, void *(*body)(void *),
              void *argument),
             (thread, attributes, body, argument))
WRAP_THREADS(pthread_key_create, (pthread_key_t *key, void (*end)(void *)), (key, end))

int __real_open(const char *, int, ...);
int __wrap_open(const char *path, int flags, ...) {
  va_list more;
  va_start(more, flags);
  const unsigned mode = flags & O_CREAT ? va_arg(more, unsigned) : 0;
  va_end(more);
  return refuses() ? -1 : __real_open(path, flags, mode);
}

ssize_t __real_read(int, void *, size_t);
ssize_t __wrap_read(int file, void *buffer, size_t length) {
  return refuses() ? -1 : __real_read(file, buffer, length);
}

int __real_ioctl(int, unsigned long, ...);
int __wrap_ioctl(int file, unsigned long request, ...) {
  va_list more;
  va_start(more, request);
  void *argument = va_arg(more, void *);
  va_end(more);
  return refuses() ? -1 : __real_ioctl(file, request, argument);
}

/* Locks, and who a thread is, are no requests. */
static int is_request(long number) {
#ifdef SYS_futex
  if (number == SYS_futex) return 0;
#endif
#ifdef SYS_futex_time64
  if (number == SYS_futex_time64) return 0;
#endif
  return number != SYS_gettid && number != SYS_tgkill;
}

long __real_syscall(long, ...);
long __wrap_syscall(long number, ...) {
  va_list more;
  va_start(more, number);
  long words[6];
  for (int i = 0; i < 6; i++) words[i] = va_arg(more, long);
  va_end(more);
  if (is_request(number) && refuses()) return -1;
  return __real_syscall(number, words[0], words[1], words[2], words[3], words[4], words[5]);
}

/* ---- Verdicts */

static int passed, failed;
static const char *what = "";

static void verdict(int holds, const char *claim, int line) {
  if (holds) {
    passed++;
    return;
  }
  failed++;
  printf("FAILED: refusals.c:%d: %s: error %d for calls %d to %d: %s\n", line, what, kernel.error,
         kernel.first, kernel.through, claim);
}
#define HOLDS(claim) verdict((claim) != 0, #claim, __LINE__)

/* ---- What the calls are about */

enum { RUN = 64, LARGE = 600, CROWD = 1022 * 512 - 8192 };

static struct {
  pa_options options;
  pa_arena *arena, *made;
  pa_cache *cache, *made_cache;
  pa_region *region, *made_region;
  char *run;      /* RUN pages of the byte 7 */
  size_t pages;   /* as many are in use of it */
  char *free;     /* LARGE pages that were written to and are free */
  char *wall;     /* a page of a run's that keeps the run from growing */
  char *taken;    /* a run that the call took */
  size_t count;   /* its pages */
  pa_pool *pool;  /* NULL where the call is not about one */
  char *shared;   /* RUN pages of it, of the byte 7 */
  size_t first, rest; /* those that are in use */
  char *crowd;    /* nearly all of its first arena, where there are two */
} its;

static char *page(char *run, size_t index) { return run + index * PA_PAGE_SIZE; }

static int holds_byte(const char *run, size_t pages, char byte) {
  for (size_t i = 0; i < pages * PA_PAGE_SIZE; i += 512) {
    if (run[i] != byte) return 0;
  }
  return 1;
}

static pa_statistics figures(pa_arena *arena) {
  pa_statistics now;
  memset(&now, 0, sizeof now);
  now.size = sizeof now;
  HOLDS(pa_get_statistics(arena, &now) == PA_OK);
  HOLDS(now.in_use_bytes + now.free_maybe_resident_bytes + now.scavenged_bytes == now.ready_bytes);
  return now;
}

static int count_files(void) {
  DIR *files = opendir("/proc/self/fd");
  int count = 0;
  if (!files) return -1;
  while (readdir(files)) count++;
  closedir(files);
  return count;
}

static void set_up(void) {
  HOLDS(pa_create(&its.options, &its.arena) == PA_OK);
  HOLDS(pa_cache_create(its.arena, &its.cache) == PA_OK);
  HOLDS(pa_region_create(1 << 20, 0, 0, &its.region) == PA_OK);
  HOLDS(pa_region_grow(its.region, 1 << 19) == PA_OK);
  memset(pa_region_start(its.region), 7, 1 << 19);
  its.run = pa_alloc(its.arena, RUN, NULL);
  its.pages = RUN;
  memset(its.run, 7, RUN * PA_PAGE_SIZE);
  its.free = pa_alloc(its.arena, LARGE, NULL);
  memset(its.free, 8, LARGE * PA_PAGE_SIZE);
  HOLDS(pa_free(its.arena, its.free, LARGE) == PA_OK);
  its.wall = its.taken = NULL;
}

static pa_statistics pool_figures(void) {
  pa_statistics now;
  memset(&now, 0, sizeof now);
  now.size = sizeof now;
  HOLDS(pa_pool_get_statistics(its.pool, &now) == PA_OK);
  HOLDS(now.in_use_bytes + now.free_maybe_resident_bytes + now.scavenged_bytes == now.ready_bytes);
  return now;
}

static void end_pool(void) {
  if (!its.pool) return;
  HOLDS(holds_byte(page(its.shared, its.first), its.rest, 7));
  if (its.rest) HOLDS(pa_pool_free(its.pool, page(its.shared, its.first), its.rest) == PA_OK);
  if (its.crowd) HOLDS(pa_pool_free(its.pool, its.crowd, CROWD) == PA_OK);
  its.crowd = NULL;
  HOLDS(pool_figures().in_use_bytes == 0);
  pa_pool_destroy(its.pool);
  its.pool = NULL;
}

static void tear_down(void) {
  end_pool();
  if (its.wall) HOLDS(pa_free(its.arena, its.wall, 1) == PA_OK);
  if (its.taken) HOLDS(pa_free(its.arena, its.taken, its.count) == PA_OK);
  if (its.pages) HOLDS(pa_free_range(its.arena, its.run, its.pages) == PA_OK);
  pa_cache_destroy(its.cache);
  if (its.arena) {
    const pa_statistics now = figures(its.arena);
    HOLDS(now.in_use_bytes == 0 && now.inaccessible_bytes == 0);
  }
  pa_region_destroy(its.region);
  pa_destroy(its.arena);
}

/* ---- The calls */

static pa_status took(char *run, size_t pages, pa_status status) {
  HOLDS((run != NULL) == (status == PA_OK));
  its.taken = run;
  its.count = pages;
  if (run) memset(run, 9, pages * PA_PAGE_SIZE);
  return status;
}
/* The call is made before its status is looked at. */
#define TAKES(pages, call)                                                                         \
  do {                                                                                             \
    pa_status status = -1;                                                                         \
    char *run = call;                                                                              \
    kernel.armed = 0;                                                                              \
    return took(run, pages, status);                                                               \
  } while (0)

static pa_status do_create(void) {
  const pa_status status = pa_create(&its.options, &its.made);
  kernel.armed = 0;
  HOLDS((its.made != NULL) == (status == PA_OK));
  pa_destroy(its.made);
  return status;
}
static pa_status do_create_in_background(void) {
  pa_options options = its.options;
  options.scavenging = PA_SCAVENGE_IN_BACKGROUND;
  options.flags = PA_WATCH_PRESSURE;
  const pa_status status = pa_create(&options, &its.made);
  kernel.armed = 0;
  pa_destroy(its.made);
  return status;
}
static pa_status do_create_checked(void) {
  pa_options options = its.options;
  options.diagnosis = PA_DIAGNOSIS_CHECKED;
  const pa_status status = pa_create(&options, &its.made);
  kernel.armed = 0;
  pa_destroy(its.made);
  return status;
}
static pa_status do_create_in_group(void) {
  pa_options options = its.options;
  options.group_fraction = 0.5;
  const pa_status status = pa_create(&options, &its.made);
  kernel.armed = 0;
  pa_destroy(its.made);
  return status;
}
static pa_status do_destroy(void) {
  pa_cache_destroy(its.cache);
  pa_destroy(its.arena);
  kernel.armed = 0;
  its.arena = NULL;
  its.cache = NULL;
  its.pages = 0;
  return PA_OK;
}
static pa_status do_first_alloc(void) {
  pa_status status = pa_create(&its.options, &its.made), second = -1;
  if (status != PA_OK) return status;
  void *run = pa_alloc(its.made, 3, &second);
  kernel.armed = 0;
  if (run) HOLDS(pa_free(its.made, run, 3) == PA_OK);
  HOLDS(figures(its.made).in_use_bytes == 0);
  pa_destroy(its.made);
  return second;
}
static pa_status do_alloc(void) { TAKES(1, pa_alloc(its.arena, 1, &status)); }
static pa_status do_alloc_growing(void) { TAKES(9000, pa_alloc(its.arena, 9000, &status)); }
static pa_status do_alloc_zeroed(void) {
  pa_status status = -1;
  char *run = pa_alloc_zeroed(its.arena, LARGE, &status);
  kernel.armed = 0;
  if (run) HOLDS(holds_byte(run, LARGE, 0));
  return took(run, LARGE, status);
}
static pa_status do_alloc_aligned(void) {
  TAKES(100, pa_alloc_aligned(its.arena, 100, 1 << 22, &status));
}
static pa_status do_alloc_with(void) {
  pa_status status = -1;
  bool is_zero = false;
  char *run = pa_alloc_with(its.arena, 700, 1 << 16, PA_ZEROED, &is_zero, &status);
  kernel.armed = 0;
  if (run) HOLDS(is_zero && holds_byte(run, 700, 0));
  return took(run, 700, status);
}
static pa_status do_alloc_at(void) {
  const pa_status status = pa_alloc_at(its.arena, its.free, 500, PA_ZEROED);
  kernel.armed = 0;
  if (status != PA_OK) return status;
  HOLDS(holds_byte(its.free, 500, 0));
  return took(its.free, 500, status);
}
static pa_status shorten(size_t pages, pa_status status) {
  if (status == PA_OK) its.pages = pages;
  return status;
}
static pa_status do_free(void) { return shorten(0, pa_free(its.arena, its.run, RUN)); }
static pa_status do_free_part(void) {
  return shorten(RUN - 3, pa_free(its.arena, page(its.run, RUN - 3), 3));
}
static pa_status do_free_run(void) { return shorten(0, pa_free_run(its.arena, its.run)); }
static pa_status do_free_range(void) {
  return shorten(4, pa_free_range(its.arena, page(its.run, 4), RUN - 4));
}
static pa_status do_free_discarded(void) {
  return shorten(8, pa_free_discarded(its.arena, page(its.run, 8), RUN - 8));
}
static pa_status do_extend(void) {
  return shorten(RUN + 20, pa_extend(its.arena, its.run, RUN + 20, PA_ZEROED));
}
static pa_status do_resize(void) {
  pa_status status = -1;
  char *moved = pa_resize(its.arena, its.run, 5000, PA_ZEROED, &status);
  kernel.armed = 0;
  HOLDS((moved != NULL) == (status == PA_OK));
  if (!moved) return status;
  HOLDS(holds_byte(moved, RUN, 7) && holds_byte(page(moved, RUN), 5000 - RUN, 0));
  its.run = moved;
  return shorten(5000, status);
}
static pa_status do_find(void) {
  pa_run found;
  found.size = sizeof found;
  return pa_find(NULL, page(its.run, 3), &found);
}
static pa_status do_discard(void) { return pa_discard(its.arena, page(its.run, 8), 8); }
static pa_status do_purge_lazy(void) { return pa_purge_lazy(its.arena, page(its.run, 8), 8); }
static pa_status do_protect(void) {
  return pa_protect(its.arena, page(its.run, 8), 8, PA_ACCESS_NONE);
}
static pa_status do_decommit(void) { return pa_decommit(its.arena, page(its.run, 8), 8); }
static pa_status do_commit(void) { return pa_commit(its.arena, page(its.run, 8), 8); }
static pa_status do_advise(void) {
  return pa_advise_huge_pages(its.arena, page(its.run, 8), 8, PA_HUGE_PAGES_PREFER);
}
static pa_status do_cache_create(void) {
  const pa_status status = pa_cache_create(its.arena, &its.made_cache);
  kernel.armed = 0;
  HOLDS((its.made_cache != NULL) == (status == PA_OK));
  pa_cache_destroy(its.made_cache);
  return status;
}
static pa_status do_cache_destroy(void) {
  pa_cache_destroy(its.cache);
  its.cache = NULL;
  return PA_OK;
}
static pa_status do_cache_alloc(void) { TAKES(2, pa_cache_alloc(its.cache, 2, &status)); }
static pa_status do_cache_free(void) {
  return shorten(0, pa_cache_free(its.cache, its.run, RUN));
}
static pa_status do_release(void) { return pa_release(its.arena, 1 << 20, NULL); }
static pa_status do_release_all(void) { return pa_release_all(its.arena, NULL); }
static pa_status do_release_lazy(void) { return pa_release_lazy(its.arena, NULL); }
static pa_status do_scavenge_step(void) { return pa_scavenge_step(its.arena, NULL); }
static pa_status do_collapse(void) { return pa_collapse(its.arena, NULL); }
static pa_status do_set_limits(void) { return pa_set_limits(its.arena, 1 << 20, 0); }
static pa_status do_set_group_limit(void) { return pa_set_group_limit(its.arena, 0.001); }
static pa_status do_get_limits(void) { return pa_get_limits(its.arena, NULL, NULL); }
static int gives_nothing(void *context, size_t asked) { return (void)context, asked == 0; }
static pa_status do_on_limit(void) { return pa_on_limit(its.arena, gives_nothing, NULL); }
static pa_status do_json(void) {
  char text[4096];
  return pa_statistics_json(its.arena, text, sizeof text, NULL);
}
static pa_status do_get_statistics(void) {
  pa_statistics now;
  now.size = sizeof now;
  return pa_get_statistics(its.arena, &now);
}
static pa_status do_measure_resident(void) {
  uint64_t bytes;
  return pa_measure_resident(its.arena, &bytes);
}
static pa_status do_fork(void) {
  const pa_status status = pa_fork_prepare(its.arena);
  return status == PA_OK ? pa_fork_parent(its.arena) : status;
}
static pa_status do_region_create(void) {
  const pa_status status = pa_region_create(1 << 20, 1 << 16, 0, &its.made_region);
  kernel.armed = 0;
  HOLDS((its.made_region != NULL) == (status == PA_OK));
  pa_region_destroy(its.made_region);
  return status;
}
static pa_status do_region_destroy(void) {
  pa_region_destroy(its.region);
  its.region = NULL;
  return PA_OK;
}
static pa_status do_region_grow(void) { return pa_region_grow(its.region, 1 << 20); }
static pa_status do_region_shrink(void) { return pa_region_shrink(its.region, 1 << 16); }
static pa_status do_region_commit(void) { return pa_region_commit(its.region, 1 << 16, 1 << 16); }
static pa_status do_region_decommit(void) {
  return pa_region_decommit(its.region, 1 << 16, 1 << 16);
}
static pa_status do_region_discard(void) {
  return pa_region_discard(its.region, 1 << 16, 1 << 16);
}
static pa_status do_region_protect(void) {
  return pa_region_protect(its.region, 1 << 16, 1 << 16, PA_ACCESS_READ);
}
static pa_status do_region_reset(void) { return pa_region_reset(its.region); }

/* Of a pool. */
static pa_status do_pool_create(void) {
  pa_pool *made = NULL;
  const pa_status status = pa_pool_create(&its.options, &made);
  kernel.armed = 0;
  HOLDS((made != NULL) == (status == PA_OK));
  pa_pool_destroy(made);
  return status;
}
static pa_status pool_took(char *run, size_t pages, pa_status status) {
  kernel.armed = 0;
  HOLDS((run != NULL) == (status == PA_OK));
  if (!run) return status;
  *run = *(page(run, pages) - 1) = 9;
  HOLDS(pa_pool_free(its.pool, run, pages) == PA_OK);
  return status;
}
#define POOL_TAKES(pages, call)                                                                    \
  do {                                                                                             \
    pa_status status = -1;                                                                         \
    char *run = call;                                                                              \
    return pool_took(run, pages, status);                                                          \
  } while (0)
static pa_status do_pool_alloc(void) { POOL_TAKES(3, pa_pool_alloc(its.pool, 3, &status)); }
static pa_status do_pool_alloc_growing(void) {
  POOL_TAKES(9000, pa_pool_alloc(its.pool, 9000, &status));
}
static pa_status do_pool_alloc_with(void) {
  POOL_TAKES(40, pa_pool_alloc_with(its.pool, 40, 1 << 20, PA_ZEROED, NULL, &status));
}
/* What is left of the run after a free. */
static pa_status pool_leaves(size_t first, size_t rest, pa_status status) {
  if (status == PA_OK) {
    its.first = first;
    its.rest = rest;
  }
  return status;
}
static pa_status do_pool_free(void) {
  return pool_leaves(0, RUN - 8, pa_pool_free(its.pool, page(its.shared, RUN - 8), 8));
}
static pa_status do_pool_free_run(void) {
  return pool_leaves(0, 0, pa_pool_free_run(its.pool, its.shared));
}
static pa_status do_pool_free_range(void) {
  return pool_leaves(8, RUN - 8, pa_pool_free_range(its.pool, its.shared, 8));
}
static pa_status do_pool_free_discarded(void) {
  return pool_leaves(8, RUN - 8, pa_pool_free_discarded(its.pool, its.shared, 8));
}
static pa_status do_pool_alloc_at(void) {
  char *const place = page(its.shared, RUN);
  const pa_status status = pa_pool_alloc_at(its.pool, place, 4, 0);
  kernel.armed = 0;
  if (status == PA_OK) HOLDS(pa_pool_free(its.pool, place, 4) == PA_OK);
  return status;
}
static pa_status do_pool_extend(void) {
  const pa_status status = pa_pool_extend(its.pool, its.shared, RUN + 4, 0);
  kernel.armed = 0;
  if (status == PA_OK) HOLDS(pa_pool_free(its.pool, page(its.shared, RUN), 4) == PA_OK);
  return status;
}
static pa_status do_pool_resize(void) {
  pa_status status = -1;
  char *run = pa_pool_resize(its.pool, its.shared, 9000, 0, &status);
  kernel.armed = 0;
  HOLDS((run != NULL) == (status == PA_OK));
  if (!run) return status;
  HOLDS(pa_pool_free(its.pool, page(run, RUN), 9000 - RUN) == PA_OK);
  its.shared = run;
  return status;
}
/* Of the first and the last pages. */
static pa_status do_pool_discard(void) {
  const pa_status status = pa_pool_discard(its.pool, its.shared, 8);
  if (status == PA_OK) memset(its.shared, 7, 8 * PA_PAGE_SIZE);
  return status;
}
static pa_status do_pool_purge_lazy(void) {
  const pa_status status = pa_pool_purge_lazy(its.pool, its.shared, 8);
  if (status == PA_OK) memset(its.shared, 7, 8 * PA_PAGE_SIZE);
  return status;
}
static pa_status do_pool_release(void) { return pa_pool_release(its.pool, 1 << 20, NULL); }
static pa_status do_pool_release_all(void) { return pa_pool_release_all(its.pool, NULL); }
static pa_status do_pool_release_lazy(void) { return pa_pool_release_lazy(its.pool, NULL); }
static pa_status do_pool_scavenge_step(void) { return pa_pool_scavenge_step(its.pool, NULL); }
static pa_status do_pool_set_limits(void) { return pa_pool_set_limits(its.pool, 1 << 20, 0); }
static pa_status do_pool_set_group_limit(void) {
  return pa_pool_set_group_limit(its.pool, 0.001);
}
static pa_status do_pool_get_limits(void) { return pa_pool_get_limits(its.pool, NULL, NULL); }
static pa_status do_pool_on_limit(void) {
  return pa_pool_on_limit(its.pool, gives_nothing, NULL);
}
static pa_status do_pool_measure_resident(void) {
  uint64_t bytes;
  return pa_pool_measure_resident(its.pool, &bytes);
}
static pa_status do_pool_fork(void) {
  const pa_status status = pa_pool_fork_prepare(its.pool);
  return status == PA_OK ? pa_pool_fork_parent(its.pool) : status;
}

/* ---- The table */

/* What is done before. */
static void plain(void) {}
static void apart(void) {
  HOLDS(pa_protect(its.arena, page(its.run, 6), 6, PA_ACCESS_READ) == PA_OK);
}
static void gone(void) { HOLDS(pa_decommit(its.arena, page(its.run, 4), 16) == PA_OK); }
static void advised(void) {
  HOLDS(pa_advise_huge_pages(its.arena, page(its.run, 6), 6, PA_HUGE_PAGES_PREFER) == PA_OK);
}
static void wall(void) {
  its.wall = page(its.run, RUN);
  HOLDS(pa_alloc_at(its.arena, its.wall, 1, 0) == PA_OK);
}
/* A pool, with a run and free memory that was written to. */
static void pooled(void) {
  HOLDS(pa_pool_create(&its.options, &its.pool) == PA_OK);
  its.shared = pa_pool_alloc(its.pool, RUN, NULL);
  memset(its.shared, 7, RUN * PA_PAGE_SIZE);
  its.first = 0;
  its.rest = RUN;
  char *free = pa_pool_alloc(its.pool, LARGE, NULL);
  memset(free, 8, LARGE * PA_PAGE_SIZE);
  HOLDS(pa_pool_free(its.pool, free, LARGE) == PA_OK);
}
#if UINTPTR_MAX > UINT32_MAX
/* The same of two arenas, the first of which has no room for 9,000 pages. */
static void crowded(void) {
  its.options.reserve_bytes = (uint64_t)8 << 30;
  pooled();
  its.options.reserve_bytes = 256 << 20;
  its.crowd = pa_pool_alloc(its.pool, CROWD, NULL);
}
#endif
static void hole(void) { HOLDS(pa_region_decommit(its.region, 1 << 16, 1 << 16) == PA_OK); }

/* What of the run holds 7 afterwards, whatever was refused. */
enum { NOTHING, ENDS, ALL };

static const struct {
  const char *name;
  void (*before)(void);
  pa_status (*call)(void);
  int keeps;
} calls[] = {
#define ROW(name, before, keeps) {#name " after " #before, before, do_##name, keeps}
    ROW(create, plain, ALL),
    ROW(create_in_background, plain, ALL),
    ROW(create_checked, plain, ALL),
    ROW(create_in_group, plain, ALL),
    ROW(destroy, plain, NOTHING),
    ROW(destroy, apart, NOTHING),
    ROW(destroy, gone, NOTHING),
    ROW(destroy, advised, NOTHING),
    ROW(first_alloc, plain, ALL),
    ROW(alloc, plain, ALL),
    ROW(alloc_growing, plain, ALL),
    ROW(alloc_zeroed, plain, ALL),
    ROW(alloc_aligned, plain, ALL),
    ROW(alloc_with, plain, ALL),
    ROW(alloc_at, plain, ALL),
    ROW(free, plain, NOTHING),
    ROW(free, apart, NOTHING),
    ROW(free, gone, NOTHING),
    ROW(free, advised, NOTHING),
    ROW(free_part, plain, ENDS),
    ROW(free_part, apart, ENDS),
    ROW(free_part, advised, ENDS),
    ROW(free_run, plain, NOTHING),
    ROW(free_run, apart, NOTHING),
    ROW(free_run, gone, NOTHING),
    ROW(free_range, plain, ENDS),
    ROW(free_range, apart, ENDS),
    ROW(free_range, gone, ENDS),
    ROW(free_range, advised, ENDS),
    ROW(free_discarded, plain, ENDS),
    ROW(free_discarded, apart, ENDS),
    ROW(free_discarded, gone, ENDS),
    ROW(free_discarded, advised, ENDS),
    ROW(extend, plain, ALL),
    ROW(resize, plain, ALL),
    ROW(resize, wall, ALL),
    ROW(find, plain, ALL),
    ROW(find, apart, ALL),
    ROW(discard, plain, ENDS),
    ROW(discard, apart, ENDS),
    ROW(discard, gone, ENDS),
    ROW(purge_lazy, plain, ENDS),
    ROW(protect, plain, ENDS),
    ROW(protect, apart, ENDS),
    ROW(protect, gone, ENDS),
    ROW(protect, advised, ENDS),
    ROW(decommit, plain, ENDS),
    ROW(decommit, apart, ENDS),
    ROW(decommit, gone, ENDS),
    ROW(commit, plain, ALL),
    ROW(commit, apart, ALL),
    ROW(commit, gone, ENDS),
    ROW(advise, plain, ALL),
    ROW(advise, apart, ALL),
    ROW(advise, gone, ENDS),
    ROW(advise, advised, ALL),
    ROW(cache_create, plain, ALL),
    ROW(cache_destroy, plain, ALL),
    ROW(cache_alloc, plain, ALL),
    ROW(cache_free, plain, NOTHING),
    ROW(cache_free, apart, NOTHING),
    ROW(release, plain, ALL),
    ROW(release_all, plain, ALL),
    ROW(release_all, gone, ENDS),
    ROW(release_lazy, plain, ALL),
    ROW(scavenge_step, plain, ALL),
    ROW(collapse, plain, ALL),
    ROW(set_limits, plain, ALL),
    ROW(set_group_limit, plain, ALL),
    ROW(get_limits, plain, ALL),
    ROW(on_limit, plain, ALL),
    ROW(get_statistics, plain, ALL),
    ROW(json, plain, ALL),
    ROW(measure_resident, plain, ALL),
    ROW(fork, plain, ALL),
    ROW(pool_create, plain, ALL),
    ROW(pool_alloc, pooled, ALL),
    ROW(pool_alloc_growing, pooled, ALL),
#if UINTPTR_MAX > UINT32_MAX
    ROW(pool_alloc_growing, crowded, ALL),
#endif
    ROW(pool_alloc_with, pooled, ALL),
    ROW(pool_alloc_at, pooled, ALL),
    ROW(pool_free, pooled, ALL),
    ROW(pool_free_run, pooled, ALL),
    ROW(pool_free_range, pooled, ALL),
    ROW(pool_free_discarded, pooled, ALL),
    ROW(pool_extend, pooled, ALL),
    ROW(pool_resize, pooled, ALL),
    ROW(pool_discard, pooled, ALL),
    ROW(pool_purge_lazy, pooled, ALL),
    ROW(pool_release, pooled, ALL),
    ROW(pool_release_all, pooled, ALL),
    ROW(pool_release_lazy, pooled, ALL),
    ROW(pool_scavenge_step, pooled, ALL),
    ROW(pool_set_limits, pooled, ALL),
    ROW(pool_set_group_limit, pooled, ALL),
    ROW(pool_get_limits, pooled, ALL),
    ROW(pool_on_limit, pooled, ALL),
    ROW(pool_measure_resident, pooled, ALL),
    ROW(pool_fork, pooled, ALL),
    ROW(region_create, plain, ALL),
    ROW(region_destroy, plain, ALL),
    ROW(region_grow, plain, ALL),
    ROW(region_shrink, plain, ALL),
    ROW(region_commit, hole, ALL),
    ROW(region_decommit, plain, ALL),
    ROW(region_decommit, hole, ALL),
    ROW(region_discard, plain, ALL),
    ROW(region_protect, plain, ALL),
    ROW(region_reset, plain, ALL),
    ROW(region_reset, hole, ALL),
};
enum { CALLS = sizeof calls / sizeof *calls };

/* ---- A round */

/* The errors that a refusal by the kernel may be told as. */
static int is_refusal(pa_status status) {
  return status == PA_SYSTEM + kernel.error || status == PA_NO_ADDRESS_SPACE ||
         status == PA_OUT_OF_MEMORY || status == PA_TOO_MANY_MAPPINGS;
}

static int chunks;
/* Makes a call with some of its own calls refused.
 *
 * Returns whether there was anything to refuse. */
static int round_of(int number, int error, int first, int through) {
  const long mapped_before = mapped;
  const int files = count_files();
  what = calls[number].name;
  kernel.error = error;
  kernel.first = first;
  kernel.through = through;
  set_up();
  if (!its.run) return 0;
  calls[number].before();
  pa_statistics before = figures(its.arena);
  const uint64_t in_pool = its.pool ? pool_figures().in_use_bytes : 0;
  kernel.calls = kernel.refused = 0;
  kernel.armed = 1;
  pa_status status = calls[number].call();
  kernel.armed = 0;
  const int refused = kernel.refused;
  /* A function that asks again and again gives up. */
  HOLDS(kernel.calls < 1000);
  if (!refused) {
    HOLDS(status == PA_OK);
  } else if (status != PA_OK) {
    HOLDS(is_refusal(status));
    if (!is_refusal(status)) printf("  %d, %s\n", (int)status, pa_strerror(status));
    HOLDS(strlen(pa_strerror(status)) > 3);
    const pa_statistics after = figures(its.arena);
    HOLDS(after.in_use_bytes == before.in_use_bytes);
    HOLDS(after.reserved_bytes == before.reserved_bytes);
    if (its.pool) HOLDS(pool_figures().in_use_bytes == in_pool);
    status = calls[number].call();
    HOLDS(status == PA_OK);
    if (status != PA_OK) printf("  again: %d, %s\n", (int)status, pa_strerror(status));
  }
  const size_t kept = its.pages < 4 ? its.pages : 4;
  if (calls[number].keeps != NOTHING) HOLDS(kept && holds_byte(its.run, kept, 7));
  if (calls[number].keeps == ENDS && its.pages == RUN) {
    HOLDS(holds_byte(page(its.run, RUN - 4), 4, 7));
  }
  if (calls[number].keeps == ALL) HOLDS(holds_byte(its.run, RUN, 7));
  tear_down();
  /* Objects' memory stays for good: it may have grown, by a chunk now and then. */
  const long more = mapped - mapped_before;
  chunks += more == 16 << 10;
  HOLDS(more == 0 || (more == 16 << 10 && chunks <= 3));
  HOLDS(count_files() == files);
  return refused > 0;
}

static void rounds(int number) {
  static const int errors[] = {ENOMEM, EAGAIN, EINVAL};
  for (int kind = 0; kind < 3; kind++) {
    for (int first = 0; round_of(number, errors[kind], first, first); first++) {}
    for (int first = 0; round_of(number, errors[kind], first, 1 << 30); first++) {}
  }
}

/* What a process does once, in a process each. */
static void first_rounds(int number) {
  what = calls[number].name;
  for (int first = 0, more = 1; more && first < 200; first++) {
    (void)fflush(stdout);
    kernel.error = ENOMEM;
    kernel.first = kernel.through = first;
    const pid_t child = fork();
    if (child == 0) {
      kernel.armed = 1;
      const pa_status status = calls[number].call();
      kernel.armed = 0;
      HOLDS(status == PA_OK || is_refusal(status));
      if (status != PA_OK) HOLDS(calls[number].call() == PA_OK);
      (void)fflush(stdout);
      _exit(failed ? 3 : kernel.refused ? 1 : 0);
    }
    int end = -1;
    HOLDS(waitpid(child, &end, 0) == child);
    HOLDS(WIFEXITED(end) && WEXITSTATUS(end) < 2);
    if (!WIFEXITED(end)) printf("  signal %d\n", WTERMSIG(end));
    more = WIFEXITED(end) && WEXITSTATUS(end) == 1;
  }
}

/* What the kernel says that a page may be used for. */
static int access_of(void *page) {
  int ends[2];
  char byte = 0;
  if (pipe(ends) != 0) return -1;
  const int reads = write(ends[1], page, 1) == 1;
  if (!reads) (void)!write(ends[1], &byte, 1);
  const int writes = read(ends[0], page, 1) == 1;
  close(ends[0]);
  close(ends[1]);
  return writes ? PA_ACCESS_READ_WRITE : reads ? PA_ACCESS_READ : PA_ACCESS_NONE;
}

/* A change of access that the kernel refuses when half of it is done: the next one is not spared
 * because all had that access before. */
static void refuse_half_way(int from, int to, int first) {
  set_up();
  char *run = pa_alloc(its.arena, 8, NULL);
  HOLDS(pa_protect(its.arena, run, 8, (uint32_t)from) == PA_OK);
  kernel.first = first;
  kernel.through = 1 << 30;
  kernel.error = ENOMEM;
  kernel.calls = kernel.refused = 0;
  kernel.halves = kernel.armed = 1;
  (void)pa_protect(its.arena, run, 8, (uint32_t)to);
  kernel.halves = kernel.armed = 0;
  HOLDS(pa_protect(its.arena, run, 8, (uint32_t)from) == PA_OK);
  for (size_t i = 0; i < 8; i++) HOLDS(access_of(run + i * PA_PAGE_SIZE) == from);
  HOLDS(pa_protect(its.arena, run, 8, PA_ACCESS_READ_WRITE) == PA_OK);
  for (size_t i = 0; i < 8; i++) HOLDS(access_of(run + i * PA_PAGE_SIZE) == PA_ACCESS_READ_WRITE);
  HOLDS(pa_free(its.arena, run, 8) == PA_OK);
  tear_down();
}

int main(void) {
  setvbuf(stdout, NULL, _IOLBF, 0);
  probe_advice();
  its.options = (pa_options)PA_OPTIONS_INIT;
  its.options.reserve_bytes = 256 << 20;
  its.options.huge_pages = PA_HUGE_PAGES_AVOID;
  its.options.thread_cache_bytes = PA_NONE;
  for (int number = 0; number < CALLS; number++) {
    if (strncmp(calls[number].name, "create", 6) == 0 ||
        strncmp(calls[number].name, "first", 5) == 0) {
      first_rounds(number);
    }
  }
  /* What is mapped once for good is mapped now. */
  for (int number = 0; number < CALLS; number++) {
    set_up();
    calls[number].before();
    (void)calls[number].call();
    tear_down();
  }
  for (int number = 0; number < CALLS; number++) rounds(number);
  for (int from = PA_ACCESS_NONE; from <= PA_ACCESS_READ_WRITE; from++) {
    for (int to = PA_ACCESS_NONE; to <= PA_ACCESS_READ_WRITE; to++) {
      for (int first = 0; first < 3; first++) refuse_half_way(from, to, first);
    }
  }
  printf("%d passed, %d failed\n", passed, failed);
  return failed != 0;
}
