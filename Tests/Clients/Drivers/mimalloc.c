/* mimalloc, as it comes or on our pages:  mimalloc default|pages|avoid|kept [figures] */
#include <mimalloc.h>

#include "client.h"
#include "storm.h"

static pa_arena *pages;

/* A child uses all that its parent had. */
static int use(void) {
  void *blocks[1000];
  for (int i = 0; i < 1000; i++) {
    blocks[i] = mi_malloc((size_t)i * 100 + 8);
    if (!blocks[i]) return 0;
    memset(blocks[i], i, (size_t)i * 100 + 8);
  }
  for (int i = 0; i < 1000; i++) mi_free(blocks[i]);
  return 1;
}

static void fork_during(void) {
  for (int i = 0; i < 3; i++) {
    usleep(20000);
    HOLDS(child_does(use));
  }
}

int main(int argc, char **argv) {
  if (argc < 2) return 2;
  const bool measures = argc > 2;
  pa_options options;
  if (read_way(argv[1], &options)) {
    pages = mimalloc_on_pages(&options, (size_t)2 << 30, strcmp(argv[1], "kept") != 0);
    HOLDS(pages);
  }
  storm storm = {mi_malloc, mi_realloc, mi_free, measures ? STORM_ROUNDS : 1, 0, 0};
  if (measures) warm_up();
  const double processor = processor_seconds(), elapsed = elapsed_seconds();
  storm_all(&storm, measures ? NULL : fork_during);
  HOLDS(storm.mistakes == 0);
  HOLDS(storm.operations >= (measures ? 10000000 : 2000000));
  const double seconds = processor_seconds() - processor;
  mi_collect(true);
  tell_figures(seconds, elapsed, storm.operations);
  /* The run stays mimalloc's; nothing in it costs memory any more, where it gives back. */
  if (pages && strcmp(argv[1], "kept") != 0) HOLDS(arena_resident(pages) <= 1 << 20);
  return tell_verdicts();
}
