/* The pages of one of SQLite's page caches: their memory, by blocks.h; a table by their numbers, in
 * a region; and a list of those that are not pinned, by when they were unpinned. */
#pragma once
#include <sqlite3.h>
#include "blocks.h"

typedef struct entry {
  sqlite3_pcache_page page;
  struct entry *newer, *older; /* of those that are not pinned */
  unsigned key;
} entry;
struct sqlite3_pcache {
  blocks memory;
  size_t bytes, small; /* of a page; of its entry, and what SQLite wants beside */
  unsigned limit, count, pinned, keys; /* keys: for how many there is a table */
  bool purgeable;
  pa_region *region;
  entry **table, ends; /* ends.newer is the oldest, ends.older the newest */
};

static inline void unlist(sqlite3_pcache *c, entry *e) {
  if (!e->newer) return;
  e->newer->older = e->older, e->older->newer = e->newer, e->newer = NULL, c->pinned++;
}
static inline void enlist(sqlite3_pcache *c, entry *e) {
  e->older = c->ends.older, e->newer = &c->ends, e->older->newer = c->ends.older = e, c->pinned--;
}
static inline bool has_room(sqlite3_pcache *c, unsigned key) { /* no base has 2^32 pages */
  const size_t keys = ((size_t)key | 8191) + 1;
  if (key < c->keys) return true;
  if (pa_region_grow(c->region, keys * sizeof(entry *)) != PA_OK) return false;
  return c->keys = (unsigned)keys, true;
}
static inline void drop(sqlite3_pcache *c, entry *e) {
  unlist(c, e), c->table[e->key] = NULL, c->count--, c->pinned--;
  if (c->bytes >= PA_PAGE_SIZE) blocks_give(&c->memory, e->page.pBuf, c->bytes);
  blocks_give(&c->memory, e, c->small);
}
static inline entry *make_entry(sqlite3_pcache *c) {
  const bool apart = c->bytes >= PA_PAGE_SIZE; /* then a page's bytes are a run; else beside it */
  entry *e = (entry *)blocks_take(&c->memory, c->small);
  if (!e) return NULL;
  e->page.pBuf = apart ? blocks_take(&c->memory, c->bytes) : (char *)e + c->small - c->bytes;
  if (!e->page.pBuf) return blocks_give(&c->memory, e, c->small), NULL;
  return e->page.pExtra = e + 1, e->newer = NULL, c->count++, c->pinned++, e;
}
