/* jemalloc, as it comes or on our pages:  jemalloc default|pages|avoid [figures] */
#include <jemalloc/jemalloc.h>

#include "client.h"
#include "storm.h"

static pa_arena *pages;
static int argument_count;
static char **arguments;

/* Before anything that allocates. */
static void begin(int argc, char **argv, char **environment) {
  environ = environment; /* the C library finds it later */
  pa_options options;
  argument_count = argc;
  arguments = argv;
  if (argc < 2 || !read_way(argv[1], &options)) return;
  pages = jemalloc_on_pages(&options);
}
__attribute__((section(".preinit_array"), used)) static void (*early)(int, char **, char **) =
    begin;

/* A child uses all that its parent had. */
static int use(void) {
  void *blocks[1000];
  for (int i = 0; i < 1000; i++) {
    blocks[i] = malloc((size_t)i * 100 + 8);
    if (!blocks[i]) return 0;
    memset(blocks[i], i, (size_t)i * 100 + 8);
  }
  pa_run run = {.size = sizeof run};
  const int is_ours = pages && pa_find(pages, blocks[999], &run) == PA_OK;
  for (int i = 0; i < 1000; i++) free(blocks[i]);
  return is_ours || !pages;
}

static void fork_during(void) {
  for (int i = 0; i < 3; i++) {
    usleep(20000);
    HOLDS(child_does(use));
  }
}

static size_t stat_of(const char *name) {
  uint64_t epoch = 1;
  size_t value = 0, size = sizeof value, epoch_size = sizeof epoch;
  mallctl("epoch", &epoch, &epoch_size, &epoch, sizeof epoch);
  HOLDS(mallctl(name, &value, &size, NULL, 0) == 0);
  return value;
}

/* Blocks of an arena of jemalloc's that is ours alone: it ends, and nothing is in use any more. */
static void *use_arena(void *number) {
  unsigned arena = *(unsigned *)number;
  uint64_t mistakes = 0, random = arena + 1;
  HOLDS(mallctl("thread.arena", NULL, NULL, &arena, sizeof arena) == 0);
  for (int round = 0; round < 200; round++) {
    uint64_t *blocks[100];
    for (int i = 0; i < 100; i++) {
      const size_t size = storm_size(&random);
      blocks[i] = (uint64_t *)malloc(size);
      if (blocks[i]) storm_fill(blocks[i], size);
    }
    for (int i = 0; i < 100; i++) {
      if (!blocks[i] || !storm_holds(blocks[i], blocks[i][0])) mistakes++;
      free(blocks[i]);
    }
  }
  HOLDS(mistakes == 0);
  return NULL;
}

static void test_made_arena(void) {
  const uint64_t before = arena_figures(pages).in_use_bytes;
  unsigned arena = 0;
  size_t size = sizeof arena;
  extent_hooks_t *hooks = &jemalloc_hooks;
  HOLDS(mallctl("arenas.create", &arena, &size, &hooks, sizeof hooks) == 0);
  pthread_t thread;
  HOLDS(pthread_create(&thread, NULL, use_arena, &arena) == 0);
  pthread_join(thread, NULL);
  HOLDS(arena_figures(pages).in_use_bytes > before);
  char name[40];
  snprintf(name, sizeof name, "arena.%u.destroy", arena);
  HOLDS(mallctl(name, NULL, NULL, NULL, 0) == 0);
  HOLDS(arena_figures(pages).in_use_bytes <= before);
}

int main(int argc, char **argv) {
  (void)argc, (void)argv;
  if (argument_count < 2) return 2;
  const bool measures = argument_count > 2;
  storm storm = {malloc, realloc, free, measures ? STORM_ROUNDS : 1, 0, 0};
  HOLDS(strcmp(arguments[1], "default") == 0 || pages);
  if (measures) warm_up();
  const double processor = processor_seconds(), elapsed = elapsed_seconds();
  storm_all(&storm, measures ? NULL : fork_during);
  HOLDS(storm.mistakes == 0);
  HOLDS(storm.operations >= (measures ? 10000000 : 2000000));
  mallctl("thread.tcache.flush", NULL, NULL, NULL, 0);
  const double seconds = processor_seconds() - processor;
  HOLDS(mallctl("arena.4096.purge", NULL, NULL, NULL, 0) == 0);
  HOLDS(!pages || pa_release_all(pages, NULL) == PA_OK);
  tell_figures(seconds, elapsed, storm.operations);
  if (pages) {
    HOLDS(stat_of("stats.allocated") < 1 << 20);
    /* What jemalloc has for itself stays, and with `retain` what it has taken beyond need. */
    const uint64_t own = stat_of("stats.metadata"), retained = stat_of("stats.retained");
    HOLDS(arena_figures(pages).in_use_bytes <= 2 * own + (16 << 20) + retained);
    HOLDS(arena_resident(pages) <= own + (4 << 20) + retained);
    test_made_arena();
  }
  return tell_verdicts();
}
