/* What the recipes offer to the programs that try them. */
#ifndef RECIPES_H
#define RECIPES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "pagealloc.h"

/* Has all of jemalloc's memory come from an arena; its options, and NULL for the default.
 * NULL where that cannot be. */
pa_arena *jemalloc_on_pages(const pa_options *options);
/* For an arena of jemalloc's that a program makes. */
extern struct extent_hooks_s jemalloc_hooks;


/* SQLite's memory, its page caches as a whole, or one run for the pages of all caches; a status of
 * SQLite's. Before sqlite3_initialize. */
int sqlite_malloc_on_pages(pa_arena *pages);
int sqlite_pcache_on_pages(pa_arena *pages);
int sqlite_pagecache_on_pages(pa_arena *pages, int page_bytes, int count);
pa_status sqlite_end_pagecache(pa_arena *pages); /* after sqlite3_shutdown */

/* Has mimalloc's memory come from a run of so many bytes of an arena. gives_back: it returns what
 * is free to the kernel, or nothing until its end. NULL where that cannot be. */
pa_arena *mimalloc_on_pages(const pa_options *options, size_t bytes, bool gives_back);

/* A lua_Alloc; its data are blocks of blocks.h. */
void *lua_on_pages(void *blocks, void *block, size_t old, size_t size);

/* Contexts of Zstandard; NULL where they cannot be. */
struct ZSTD_CCtx_s *zstd_compressor_on_pages(pa_arena *pages);
struct ZSTD_DCtx_s *zstd_decompressor_on_pages(pa_arena *pages);

#endif
