/* To be preloaded before jemalloc: has the jemalloc of a program that nobody changed take its
 * memory from an arena.
 *
 *     LD_PRELOAD=libpagealloc-jemalloc.so:libjemalloc.so.2 PROGRAM
 *
 * It is linked with -z initfirst: it begins before anything else, so that its handlers of fork are
 * registered before jemalloc's. PAGEALLOC_HUGE_PAGES=avoid has no huge pages asked for, and
 * PAGEALLOC_TELL=1 has the process say at its end on standard error how much the arena had. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "recipes.h"

static pa_arena *pages;

__attribute__((constructor)) static void begin(int argc, char **argv, char **environment) {
  (void)argc, (void)argv;
  if (!environ) environ = environment; /* the C library finds it later */
  pa_options options = PA_OPTIONS_INIT;
  const char *huge = getenv("PAGEALLOC_HUGE_PAGES");
  if (huge && strcmp(huge, "avoid") == 0) options.huge_pages = PA_HUGE_PAGES_AVOID;
  pages = jemalloc_on_pages(&options);
  if (!pages) {
    static const char text[] = "libpagealloc-jemalloc: jemalloc stays as it is\n";
    if (write(2, text, sizeof text - 1) < 0) return;
  }
}

__attribute__((destructor)) static void end(void) {
  pa_statistics now = {.size = sizeof now};
  if (!getenv("PAGEALLOC_TELL") || pa_get_statistics(pages, &now) != PA_OK) return;
  char text[80];
  const int length = snprintf(text, sizeof text, "pagealloc: %llu KiB ready\n",
                              (unsigned long long)now.ready_bytes >> 10);
  if (write(2, text, (size_t)length) < 0) return;
}
