/* SQLite's memory on the pages of an arena: SQLITE_CONFIG_MALLOC, blocks with their size before
 * them; and SQLITE_CONFIG_PAGECACHE, one run for the pages of all caches. Before
 * sqlite3_initialize. What was taken is back after sqlite3_shutdown. */
#include <sqlite3.h>
#include <stdatomic.h>

#include "blocks.h"

static blocks all;
static atomic_flag busy = ATOMIC_FLAG_INIT;
/* SQLite calls these in turn only where it counts its memory (SQLITE_CONFIG_MEMSTATUS). */
static void lock(void) {
  while (atomic_flag_test_and_set_explicit(&busy, memory_order_acquire)) continue;
}
static void unlock(void) { atomic_flag_clear_explicit(&busy, memory_order_release); }

static int size_of(void *block) { return block ? (int)((int64_t *)block)[-1] : 0; }
static void *take(int size) {
  lock();
  int64_t *head = (int64_t *)blocks_take(&all, (size_t)size + 8);
  unlock();
  return head ? (*head = size, head + 1) : NULL;
}
static void give(void *block) {
  if (!block) return;
  lock();
  blocks_give(&all, (int64_t *)block - 1, (size_t)size_of(block) + 8);
  unlock();
}
static void *resize(void *block, int size) {
  lock();
  int64_t *head = (int64_t *)blocks_resize(&all, (int64_t *)block - 1, (size_t)size_of(block) + 8,
                                           (size_t)size + 8);
  unlock();
  return head ? (*head = size, head + 1) : NULL;
}
static int rounded(int size) { return (size + 7) & ~7; }
static int begin(void *unused) { return (void)unused, SQLITE_OK; }
static void finish(void *unused) { (void)unused; }

int sqlite_malloc_on_pages(pa_arena *pages) {
  static const sqlite3_mem_methods methods = {take, give, resize, size_of,
                                              rounded, begin, finish, NULL};
  all.pages = pages;
  return sqlite3_config(SQLITE_CONFIG_MALLOC, &methods);
}

static void *page_run;
int sqlite_pagecache_on_pages(pa_arena *pages, int page_bytes, int count) {
  int head = 0;
  sqlite3_config(SQLITE_CONFIG_PCACHE_HDRSZ, &head);
  const int each = page_bytes + ((head + 7) & ~7);
  page_run = pa_alloc(pages, blocks_pages((size_t)each * (size_t)count), NULL);
  return page_run ? sqlite3_config(SQLITE_CONFIG_PAGECACHE, page_run, each, count) : SQLITE_NOMEM;
}
pa_status sqlite_end_pagecache(pa_arena *pages) { return pa_free_run(pages, page_run); }
