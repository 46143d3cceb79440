/* SQLite, as it comes or on our pages; avoid is all, without huge pages:
 *     sqlite default|pcache|pagecache|malloc|all|avoid FILE [figures]
 *
 * Four connections, each in a thread of its own with a file of its own: inserts, look-ups by an
 * index, changes, deletions; a table in memory that is sorted; then what was written is read. */
#include <pthread.h>
#include <sqlite3.h>

#include "client.h"

enum { ROWS = 30000, LOOKUPS = 100000 };

static const char *path;
static _Atomic uint64_t operations;
static pthread_barrier_t stage; /* all threads are in the same one, so that peaks compare */

static int is_done(sqlite3 *base, const char *text) {
  char *why = NULL;
  const int status = sqlite3_exec(base, text, NULL, NULL, &why);
  if (status != SQLITE_OK) printf("%s: %s\n", text, why ? why : "?");
  sqlite3_free(why);
  return status == SQLITE_OK;
}

/* The one text or number that a statement gives; "" where there is none. */
static void ask(sqlite3 *base, const char *text, char answer[64]) {
  sqlite3_stmt *statement = NULL;
  answer[0] = 0;
  if (sqlite3_prepare_v2(base, text, -1, &statement, NULL) == SQLITE_OK &&
      sqlite3_step(statement) == SQLITE_ROW) {
    snprintf(answer, 64, "%s", (const char *)sqlite3_column_text(statement, 0));
  }
  sqlite3_finalize(statement);
}

static uint64_t content(int64_t row) { return (uint64_t)row * 0x9e3779b97f4a7c15; }

static void *work(void *argument) {
  const int index = (int)(uintptr_t)argument;
  char name[512], answer[64];
  snprintf(name, sizeof name, "%s.%d", path, index);
  remove(name);
  sqlite3 *base = NULL;
  HOLDS(sqlite3_open(name, &base) == SQLITE_OK);
  HOLDS(is_done(base, "PRAGMA synchronous=OFF; PRAGMA cache_size=4000; PRAGMA temp_store=MEMORY;"
                      "CREATE TABLE t(id INTEGER PRIMARY KEY, k INTEGER, text TEXT);"
                      "CREATE INDEX by_k ON t(k); BEGIN;"));
  sqlite3_stmt *insert = NULL, *look = NULL;
  sqlite3_prepare_v2(base, "INSERT INTO t VALUES(?1, ?2, ?3)", -1, &insert, NULL);
  char text[400];
  for (int row = 1; row <= ROWS; row++) {
    const int length = 20 + row * 37 % 370;
    memset(text, 'a' + row % 26, (size_t)length);
    sqlite3_bind_int64(insert, 1, row);
    sqlite3_bind_int64(insert, 2, (sqlite3_int64)(content(row) >> 40));
    sqlite3_bind_text(insert, 3, text, length, SQLITE_STATIC);
    if (sqlite3_step(insert) != SQLITE_DONE) HOLDS(!"inserted");
    sqlite3_reset(insert);
  }
  sqlite3_finalize(insert);
  HOLDS(is_done(base, "COMMIT; BEGIN"));
  pthread_barrier_wait(&stage);
  sqlite3_prepare_v2(base, "SELECT id, length(text) FROM t WHERE k = ?1", -1, &look, NULL);
  int wrong = 0;
  for (int i = 0; i < LOOKUPS; i++) {
    const int row = (int)(content(i + 1) >> 33) % ROWS + 1;
    sqlite3_bind_int64(look, 1, (sqlite3_int64)(content(row) >> 40));
    int found = 0;
    while (sqlite3_step(look) == SQLITE_ROW) {
      const int64_t id = sqlite3_column_int64(look, 0);
      found |= id == row && sqlite3_column_int64(look, 1) == 20 + row * 37 % 370;
    }
    wrong += !found;
    sqlite3_reset(look);
  }
  sqlite3_finalize(look);
  HOLDS(wrong == 0);
  pthread_barrier_wait(&stage);
  HOLDS(is_done(base, "COMMIT; UPDATE t SET text = text || 'x' WHERE id % 5 = 0;"
                      "DELETE FROM t WHERE id % 3 = 0;"
                      "CREATE TEMP TABLE sorted AS SELECT * FROM t ORDER BY text, k DESC;"));
  pthread_barrier_wait(&stage);
  HOLDS(is_done(base, "PRAGMA shrink_memory; VACUUM;"));
  ask(base, "SELECT count(*) FROM sorted", answer);
  HOLDS(atoi(answer) == ROWS - ROWS / 3);
  ask(base, "PRAGMA integrity_check", answer);
  HOLDS(strcmp(answer, "ok") == 0);
  HOLDS(sqlite3_close(base) == SQLITE_OK);
  operations += ROWS + LOOKUPS + ROWS;
  HOLDS(remove(name) == 0);
  return NULL;
}

/* A child makes a base of its own. */
static int use(void) {
  sqlite3 *base = NULL;
  char answer[64];
  if (sqlite3_open(":memory:", &base) != SQLITE_OK) return 0;
  if (!is_done(base, "CREATE TABLE t(a); INSERT INTO t SELECT zeroblob(3000) FROM (WITH RECURSIVE "
                     "n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n WHERE i < 2000) "
                     "SELECT i FROM n)")) {
    return 0;
  }
  ask(base, "PRAGMA integrity_check", answer);
  return sqlite3_close(base) == SQLITE_OK && strcmp(answer, "ok") == 0;
}

int main(int argc, char **argv) {
  if (argc < 3) return 2;
  const char *way = argv[1];
  const bool avoids = strcmp(way, "avoid") == 0, all = avoids || strcmp(way, "all") == 0;
  const bool checks = argc < 4;
  path = argv[2];
  pa_arena *pages = NULL;
  pa_options options = PA_OPTIONS_INIT;
  options.thread_cache_bytes = 1 << 20;
  if (avoids) options.huge_pages = PA_HUGE_PAGES_AVOID;
  if (strcmp(way, "default") != 0) HOLDS(pa_create(&options, &pages) == PA_OK);
  if (all || strcmp(way, "pcache") == 0) HOLDS(sqlite_pcache_on_pages(pages) == SQLITE_OK);
  if (strcmp(way, "pagecache") == 0) {
    HOLDS(sqlite_pagecache_on_pages(pages, 4096, 4200 * THREADS) == SQLITE_OK);
  }
  if (all || strcmp(way, "malloc") == 0) HOLDS(sqlite_malloc_on_pages(pages) == SQLITE_OK);
  HOLDS(sqlite3_initialize() == SQLITE_OK);

  if (!checks) warm_up();
  const double processor = processor_seconds(), elapsed = elapsed_seconds();
  pthread_barrier_init(&stage, NULL, THREADS);
  run_threads(work, NULL);
  HOLDS(operations > 0);
  if (checks) HOLDS(child_does(use));
  if (checks) HOLDS(use());
  HOLDS(sqlite3_memory_used() == 0);
  HOLDS(sqlite3_shutdown() == SQLITE_OK);
  const double seconds = processor_seconds() - processor;
  /* The one run of SQLITE_CONFIG_PAGECACHE is the program's. */
  if (strcmp(way, "pagecache") == 0) HOLDS(sqlite_end_pagecache(pages) == PA_OK);
  return tell_end(pages, seconds, elapsed, operations);
}
