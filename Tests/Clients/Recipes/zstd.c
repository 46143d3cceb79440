/* Zstandard's contexts on the pages of an arena: its own memory hooks, which free without a size.
 * What is smaller than a page is the C library's. */
#define ZSTD_STATIC_LINKING_ONLY
#include <stdlib.h>
#include <zstd.h>

#include "recipes.h"

static void *take(void *pages, size_t size) {
  if (size < PA_PAGE_SIZE) return malloc(size);
  return pa_alloc((pa_arena *)pages, (size + PA_PAGE_SIZE - 1) / PA_PAGE_SIZE, NULL);
}
/* Only a run starts at a page; a block of the C library that does is in no arena. */
static void give(void *pages, void *block) {
  if ((uintptr_t)block % PA_PAGE_SIZE != 0 || pa_free_run((pa_arena *)pages, block) != PA_OK) {
    free(block);
  }
}
struct ZSTD_CCtx_s *zstd_compressor_on_pages(pa_arena *pages) {
  return ZSTD_createCCtx_advanced((ZSTD_customMem){take, give, pages});
}
struct ZSTD_DCtx_s *zstd_decompressor_on_pages(pa_arena *pages) {
  return ZSTD_createDCtx_advanced((ZSTD_customMem){take, give, pages});
}
