/* SQLite's page caches on the pages of an arena: SQLITE_CONFIG_PCACHE2. A cache takes runs for its
 * pages; the page that was unpinned longest ago is used again; runs without a page in use go back
 * when the cache is told to shrink. Which pages it has is a table by their numbers, in a region.
 * Before sqlite3_initialize. */
#include <sqlite3.h>
#include <stdlib.h>
#include "recipes.h"

typedef struct run { struct run *next; size_t pages, live; } run;
typedef struct entry {
  sqlite3_pcache_page page;
  run *home;
  struct entry *newer, *older; /* of those that are not pinned; of free entries, by `older` */
  unsigned key;
} entry;
typedef struct {
  size_t bytes, extra;
  unsigned limit, count, pinned, keys; /* keys: for how many there is a table */
  bool purgeable;
  pa_region *region;
  entry **table, *free, ends; /* ends: the list's, newest and oldest */
  run *runs;
} cache;
static pa_arena *pages;

static void unlist(entry *e) { e->newer->older = e->older, e->older->newer = e->newer; }
static void drop(cache *c, entry *e) {
  if (e->newer) unlist(e); else c->pinned--;
  c->table[e->key] = NULL, e->older = c->free, c->free = e, c->count--, e->home->live--;
}
static void give_runs(cache *c) { /* those without a page that is in use */
  for (entry **at = &c->free; *at;) {
    if ((*at)->home->live > 0) at = &(*at)->older; else *at = (*at)->older;
  }
  for (run **at = &c->runs, *r; (r = *at);) {
    if (r->live > 0) at = &r->next; else *at = r->next, pa_free(pages, r, r->pages);
  }
}
static bool has_room(cache *c, unsigned key) { /* in the table */
  if (key < c->keys) return true;
  const size_t keys = ((size_t)key | 8191) + 1;
  if (pa_region_grow(c->region, keys * sizeof(entry *)) != PA_OK) return false;
  return c->keys = (unsigned)keys, true; /* no database has 2^32 pages */
}
static bool take_run(cache *c) {
  size_t count = c->runs ? 64 : 8, each = c->bytes + sizeof(entry) + c->extra;
  while (count * PA_PAGE_SIZE < each + sizeof(run)) count *= 2;
  run *r = (run *)pa_alloc(pages, count, NULL);
  if (!r) return false;
  *r = (run){c->runs, count, 0}, c->runs = r;
  char *small = (char *)(r + 1), *bytes = (char *)r + count * PA_PAGE_SIZE;
  for (size_t n = (count * PA_PAGE_SIZE - sizeof(run)) / each; n > 0; n--) {
    entry *e = (entry *)(void *)small;
    *e = (entry){.page = {bytes -= c->bytes, e + 1}, .home = r, .older = c->free}, c->free = e;
    small += sizeof(entry) + c->extra;
  }
  return true;
}
static sqlite3_pcache *create(int bytes, int extra, int purgeable) {
  cache *c = (cache *)pa_alloc_zeroed(pages, 1, NULL);
  if (!c) return NULL;
  *c = (cache){.bytes = (size_t)bytes, .extra = ((size_t)extra + 7) & ~(size_t)7, .limit = 100};
  c->purgeable = purgeable, c->ends.newer = c->ends.older = &c->ends;
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
  if (e && e->newer) unlist(e), e->newer = NULL, c->pinned++;
  if (e || !make || (make == 1 && c->pinned >= c->limit * 9 / 10)) return e ? &e->page : NULL;
  if (!has_room(c, key)) return NULL;
  if (c->purgeable && c->count >= c->limit && c->ends.newer != &c->ends) drop(c, c->ends.newer);
  if (!c->free && !take_run(c)) return NULL;
  e = c->free, c->free = e->older, c->table[key] = e, c->count++, c->pinned++, e->home->live++;
  e->key = key, e->newer = NULL, *(void **)e->page.pExtra = NULL;
  return &e->page;
}
static void unpin(sqlite3_pcache *p, sqlite3_pcache_page *page, int discard) {
  cache *c = (cache *)p;
  entry *e = (entry *)page;
  if (discard || (c->purgeable && c->count > c->limit)) {
    drop(c, e);
    return;
  }
  e->older = c->ends.older, e->newer = &c->ends, c->ends.older->newer = e, c->ends.older = e;
  c->pinned--;
}
static void rekey(sqlite3_pcache *p, sqlite3_pcache_page *page, unsigned old, unsigned key) {
  cache *c = (cache *)p;
  if (!has_room(c, key)) abort(); /* SQLite takes no refusal here */
  if (c->table[key]) drop(c, c->table[key]);
  c->table[old] = NULL, c->table[key] = (entry *)page, ((entry *)page)->key = key;
}
static void truncate(sqlite3_pcache *p, unsigned limit) {
  cache *c = (cache *)p;
  for (unsigned key = limit; key < c->keys && c->count > 0; key++) {
    if (c->table[key]) drop(c, c->table[key]);
  }
  give_runs(c);
}
static void shrink(sqlite3_pcache *p) {
  cache *c = (cache *)p;
  while (c->ends.newer != &c->ends) drop(c, c->ends.newer);
  give_runs(c);
}
static void destroy(sqlite3_pcache *p) {
  cache *c = (cache *)p;
  for (run *r = c->runs; r; r = c->runs) c->runs = r->next, pa_free(pages, r, r->pages);
  pa_region_destroy(c->region), pa_free(pages, c, 1);
}
static int begin(void *unused) { return (void)unused, SQLITE_OK; }

int sqlite_pcache_on_pages(pa_arena *arena) {
  static const sqlite3_pcache_methods2 methods = {
      1, NULL, begin, NULL, create, resize, count, fetch, unpin, rekey, truncate, destroy, shrink};
  return pages = arena, sqlite3_config(SQLITE_CONFIG_PCACHE2, &methods);
}
