/* mimalloc on one run of an arena. Call mimalloc_on_pages early: what mimalloc has by then stays
 * where it is. mimalloc needs no handlers of fork, and the arena's are as by default. */
#include <mimalloc.h>

#include "recipes.h"

enum { ALIGNMENT = 64 << 20 }; /* mimalloc cuts the run into segments, which lie at multiples */

pa_arena *mimalloc_on_pages(const pa_options *options, size_t bytes, bool gives_back) {
  pa_arena *pages;
  bool is_zero = false;
  mi_arena_id_t id;
  if (pa_create(options, &pages) != PA_OK) return NULL;
  void *run = pa_alloc_with(pages, bytes / PA_PAGE_SIZE, ALIGNMENT, 0, &is_zero, NULL);
  /* mimalloc gives back to the kernel what it was not told to be committed, and nothing else. */
  if (!run || !mi_manage_os_memory_ex(run, bytes, !gives_back, false, is_zero, -1, false, &id)) {
    pa_destroy(pages);
    return NULL;
  }
  mi_option_set(mi_option_limit_os_alloc, 1); /* from there alone */
  mi_option_set(mi_option_decommit_delay, 1000); /* milliseconds; what is free that long goes */
  return pages;
}
