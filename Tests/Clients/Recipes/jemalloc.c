/* jemalloc on the pages of an arena, all of its arenas. Call jemalloc_on_pages before jemalloc is
 * first used, from .preinit_array or a library linked with -z initfirst: handlers of fork. */
#include <jemalloc/jemalloc.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include "recipes.h"

enum { PAGE = PA_PAGE_SIZE, HALF = PAGE / 2, PLACES = 1 << 19 };
static pa_arena *pages;
/* jemalloc's pages are halves of ours: whether of a page one half alone is in use. */
static _Atomic uint64_t halved[PLACES / 64];

static bool is_ours(const void *p) {
  return pa_find(pages, p, &(pa_run){.size = sizeof(pa_run)}) == PA_OK;
}
static bool was_halved(uintptr_t at) { /* and changes it */
  const uint64_t bit = UINT64_C(1) << (at / PAGE % 64);
  return atomic_fetch_xor(&halved[at / PAGE % PLACES / 64], bit) & bit;
}
static void *take(extent_hooks_t *h, void *at, size_t size, size_t align, bool *zero, bool *is,
                  unsigned i) {
  const size_t count = (size + HALF) / PAGE;
  if (!at) at = pa_alloc_with(pages, count, align, *zero ? PA_ZEROED : 0, zero, NULL);
  else if (pa_alloc_at(pages, at, count, *zero ? PA_ZEROED : 0) != PA_OK) return NULL;
  if (at && size % PAGE) was_halved((uintptr_t)at + size);
  return *is = true, at;
}
static bool give(extent_hooks_t *h, void *p, size_t size, bool is, unsigned i) {
  static _Atomic unsigned calls;
  if (!is_ours(p)) return true; /* from before: jemalloc keeps it */
  uintptr_t first = (uintptr_t)p, end = first + size;
  if (first % PAGE) first += was_halved(first) ? -HALF : HALF;
  if (end % PAGE) end += was_halved(end) ? HALF : -HALF;
  if (first < end) pa_free_range(pages, (void *)first, (end - first) / PAGE);
  if (++calls % 256 == 0) pa_scavenge_step(pages, NULL); /* in place of a thread */
  return false;
}
static void end(extent_hooks_t *h, void *p, size_t n, bool is, unsigned i) { give(h, p, n, is, i); }
static bool split(extent_hooks_t *h, void *p, size_t n, size_t a, size_t b, bool is, unsigned i) {
  return false;
}
static bool merge(extent_hooks_t *h, void *p, size_t a, void *q, size_t b, bool is, unsigned i) {
  return is_ours(p) != is_ours(q);
}
static void prepare(void) { pa_fork_prepare(pages); }
static void parent(void) { pa_fork_parent(pages); }
static void child(void) { pa_fork_child(pages); }
extent_hooks_t jemalloc_hooks = {take, give, end, .split = split, .merge = merge};

pa_arena *jemalloc_on_pages(const pa_options *options) {
  char name[40];
  pa_options manual = options ? *options : (pa_options)PA_OPTIONS_INIT;
  manual.flags |= PA_FORK_MANUAL;
  if (pa_create(&manual, &pages) != PA_OK) return NULL;
  pthread_atfork(prepare, parent, child); /* before jemalloc's own, whose locks are taken first */
  /* What is free, the arena keeps; slabs have whole pages; no arena comes later, for long runs. */
  malloc_conf = "retain:false,dirty_decay_ms:0,oversize_threshold:0,slab_sizes:1-16383:8";
  for (unsigned i = 0;; i++) { /* until there are no more */
    snprintf(name, sizeof name, "arena.%u.extent_hooks", i);
    if (mallctl(name, NULL, NULL, &(extent_hooks_t *){&jemalloc_hooks}, sizeof(void *))) break;
  }
  return pages;
}
