/* SQLite's page caches on the pages of an arena: SQLITE_CONFIG_PCACHE2. The page that was unpinned
 * longest ago is used again. Which pages a cache has is a table by their numbers, in a region.
 * Before sqlite3_initialize. */
#include <sqlite3.h>
#include <stdlib.h>
#include "blocks.h"

typedef struct entry {
  sqlite3_pcache_page page;
  struct entry *newer, *older; /* of those that are not pinned */
  unsigned key;
} entry;
typedef struct {
  blocks memory;
  size_t bytes, small; /* of a page; of its entry, and what SQLite wants beside */
  unsigned limit, count, pinned, keys; /* keys: for how many there is a table */
  bool purgeable;
  pa_region *region;
  entry **table, ends; /* ends.newer is the oldest, ends.older the newest */
} cache;
static pa_arena *pages;

static void unlist(cache *c, entry *e) {
  if (!e->newer) return;
  e->newer->older = e->older, e->older->newer = e->newer, e->newer = NULL, c->pinned++;
}
static bool has_room(cache *c, unsigned key) { /* in the table; no base has 2^32 pages */
  const size_t keys = ((size_t)key | 8191) + 1;
  if (key < c->keys) return true;
  if (pa_region_grow(c->region, keys * sizeof(entry *)) != PA_OK) return false;
  return c->keys = (unsigned)keys, true;
}
static void drop(cache *c, entry *e) {
  unlist(c, e), c->table[e->key] = NULL, c->count--, c->pinned--;
  if (c->bytes >= PA_PAGE_SIZE) blocks_give(&c->memory, e->page.pBuf, c->bytes);
  blocks_give(&c->memory, e, c->small);
}
static entry *make_entry(cache *c) {
  const bool apart = c->bytes >= PA_PAGE_SIZE; /* then a page's bytes are a run; else beside it */
  entry *e = (entry *)blocks_take(&c->memory, c->small);
  if (!e) return NULL;
  e->page.pExtra = e + 1, e->newer = NULL, c->count++, c->pinned++;
  e->page.pBuf = apart ? blocks_take(&c->memory, c->bytes) : (char *)e + c->small - c->bytes;
  if (!e->page.pBuf) c->count--, c->pinned--, blocks_give(&c->memory, e, c->small), e = NULL;
  return e;
}
static sqlite3_pcache *create(int bytes, int extra, int purgeable) {
  cache *c = (cache *)pa_alloc_zeroed(pages, 1, NULL);
  if (!c) return NULL;
  c->memory.pages = pages, c->bytes = (size_t)bytes, c->purgeable = purgeable, c->limit = 100;
  c->small = sizeof(entry) + (((size_t)extra + 7) & ~(size_t)7);
  if (c->bytes < PA_PAGE_SIZE) c->small += c->bytes;
  c->ends.newer = c->ends.older = &c->ends;
  if (pa_region_create((size_t)1 << 35, 0, 0, &c->region) != PA_OK) {
    return pa_free(pages, c, 1), NULL;
  }
  return c->table = (entry **)pa_region_start(c->region), (sqlite3_pcache *)c;
}
static void resize(sqlite3_pcache *p, int limit) { ((cache *)p)->limit = (unsigned)limit; }
static int count(sqlite3_pcache *p) { return (int)((cache *)p)->count; }
static sqlite3_pcache_page *fetch(sqlite3_pcache *p, unsigned key, int make) {
  cache *c = (cache *)p;
  entry *e = key < c->keys ? c->table[key] : NULL;
  if (e) return unlist(c, e), &e->page;
  if (!make || (make == 1 && c->pinned >= c->limit * 9 / 10) || !has_room(c, key)) return NULL;
  if (c->purgeable && c->count >= c->limit && c->ends.newer != &c->ends) {
    e = c->ends.newer, unlist(c, e), c->table[e->key] = NULL;
  } else if (!(e = make_entry(c))) return NULL;
  c->table[key] = e, e->key = key, *(void **)e->page.pExtra = NULL;
  return &e->page;
}
static void unpin(sqlite3_pcache *p, sqlite3_pcache_page *page, int discard) {
  cache *c = (cache *)p;
  entry *e = (entry *)page;
  e->older = c->ends.older, e->newer = &c->ends, e->older->newer = c->ends.older = e, c->pinned--;
  if (discard || (c->purgeable && c->count > c->limit)) drop(c, e);
}
static void rekey(sqlite3_pcache *p, sqlite3_pcache_page *page, unsigned old, unsigned key) {
  cache *c = (cache *)p;
  if (!has_room(c, key)) abort(); /* SQLite takes no refusal here */
  if (c->table[key]) drop(c, c->table[key]);
  c->table[old] = NULL, c->table[key] = (entry *)page, ((entry *)page)->key = key;
}
static void truncate_to(sqlite3_pcache *p, unsigned limit) {
  cache *c = (cache *)p;
  for (unsigned key = limit; key < c->keys && c->count > 0; key++) {
    if (c->table[key]) drop(c, c->table[key]);
  }
}
static void shrink(sqlite3_pcache *p) {
  cache *c = (cache *)p;
  while (c->ends.newer != &c->ends) drop(c, c->ends.newer);
}
static void destroy(sqlite3_pcache *p) {
  truncate_to(p, 0), pa_region_destroy(((cache *)p)->region), pa_free(pages, p, 1);
}
static int begin(void *unused) { return (void)unused, SQLITE_OK; }

int sqlite_pcache_on_pages(pa_arena *arena) {
  static const sqlite3_pcache_methods2 all = {1, NULL, begin, NULL, create, resize, count, fetch,
                                              unpin, rekey, truncate_to, destroy, shrink};
  return pages = arena, sqlite3_config(SQLITE_CONFIG_PCACHE2, &all);
}
