/* SQLite's page caches on the pages of an arena: SQLITE_CONFIG_PCACHE2. The page that was unpinned
 * longest ago is used again. Before sqlite3_initialize. */
#include <stdlib.h>
#include "sqlite-pages.h"

static pa_arena *pages;

static sqlite3_pcache *create(int bytes, int extra, int purgeable) {
  sqlite3_pcache *c = (sqlite3_pcache *)pa_alloc_zeroed(pages, 1, NULL);
  if (!c) return NULL;
  if (pa_region_create((size_t)1 << 35, 0, 0, &c->region) != PA_OK) {
    return pa_free(pages, c, 1), NULL;
  }
  c->memory.pages = pages, c->bytes = (size_t)bytes, c->purgeable = purgeable, c->limit = 100;
  c->small = sizeof(entry) + (((size_t)extra + 7) & ~(size_t)7);
  if (c->bytes < PA_PAGE_SIZE) c->small += c->bytes;
  c->ends.newer = c->ends.older = &c->ends;
  return c->table = (entry **)pa_region_start(c->region), c;
}
static void resize(sqlite3_pcache *c, int limit) { c->limit = (unsigned)limit; }
static int count(sqlite3_pcache *c) { return (int)c->count; }
static sqlite3_pcache_page *fetch(sqlite3_pcache *c, unsigned key, int make) {
  entry *e = key < c->keys ? c->table[key] : NULL;
  if (e) return unlist(c, e), &e->page;
  if (!make || (make == 1 && c->pinned >= c->limit * 9 / 10) || !has_room(c, key)) return NULL;
  if (c->purgeable && c->count >= c->limit && c->ends.newer != &c->ends) {
    e = c->ends.newer, unlist(c, e), c->table[e->key] = NULL;
  } else if (!(e = make_entry(c))) return NULL;
  c->table[key] = e, e->key = key, *(void **)e->page.pExtra = NULL;
  return &e->page;
}
static void unpin(sqlite3_pcache *c, sqlite3_pcache_page *page, int discard) {
  enlist(c, (entry *)page);
  if (discard || (c->purgeable && c->count > c->limit)) drop(c, (entry *)page);
}
static void rekey(sqlite3_pcache *c, sqlite3_pcache_page *page, unsigned old, unsigned key) {
  if (!has_room(c, key)) abort(); /* SQLite takes no refusal here */
  if (c->table[key]) drop(c, c->table[key]);
  c->table[old] = NULL, c->table[key] = (entry *)page, c->table[key]->key = key;
}
static void truncate_to(sqlite3_pcache *c, unsigned limit) {
  for (unsigned key = limit; key < c->keys && c->count > 0; key++) {
    if (c->table[key]) drop(c, c->table[key]);
  }
}
static void shrink(sqlite3_pcache *c) {
  while (c->ends.newer != &c->ends) drop(c, c->ends.newer);
  (void)pa_release_all(pages, NULL); /* others than SQLite are to have it */
}
static void destroy(sqlite3_pcache *c) {
  truncate_to(c, 0), pa_region_destroy(c->region), pa_free(pages, c, 1);
}
static int begin(void *unused) { return (void)unused, SQLITE_OK; }

int sqlite_pcache_on_pages(pa_arena *arena) {
  static const sqlite3_pcache_methods2 all = {1, NULL, begin, NULL, create, resize, count, fetch,
                                              unpin, rekey, truncate_to, destroy, shrink};
  return pages = arena, sqlite3_config(SQLITE_CONFIG_PCACHE2, &all);
}
