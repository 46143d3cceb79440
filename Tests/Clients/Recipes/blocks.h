/* Blocks of any size on the pages of an arena, for one thread at a time: small ones are cut from
 * chunks, which go back when they are empty; others are runs. Sizes are the caller's. */
#pragma once
#include <string.h>
#include "recipes.h"

enum { TINY = 64, CLASSES = 128 }; /* how many classes are of up to 1 KiB; and of chunks */
typedef struct chunk {
  struct chunk *next, *previous; /* of those that have room */
  void *free;                    /* blocks that were given back */
  unsigned fresh, live;          /* where what was never taken begins, in bytes; blocks in use */
} chunk;
typedef struct {
  pa_arena *pages;
  chunk *open[CLASSES];
} blocks;

/* Steps of 16 bytes up to 1 KiB, of 64 up to 5 KiB; CLASSES and more are runs. */
static inline size_t blocks_class(size_t n) {
  return n <= 1024 ? (n + 15) / 16 - (n > 0) : n <= 5120 ? (n + 63) / 64 + 47 : CLASSES;
}
static inline size_t blocks_bytes(size_t c) { return c < TINY ? (c + 1) * 16 : (c - 47) * 64; }
/* A chunk has 32 KiB for blocks up to 1 KiB, 256 for others: what is left at its end is little. */
static inline size_t blocks_chunk(size_t c) { return (size_t)(c < TINY ? 4 : 32) * PA_PAGE_SIZE; }
static inline size_t blocks_pages(size_t n) { return n / PA_PAGE_SIZE + (n % PA_PAGE_SIZE > 0); }

static inline void blocks_link(blocks *b, size_t class, chunk *c) {
  if (b->open[class]) b->open[class]->previous = c;
  c->next = b->open[class], c->previous = NULL, b->open[class] = c;
}
static inline void blocks_unlink(blocks *b, size_t class, chunk *c) {
  *(c->previous ? &c->previous->next : &b->open[class]) = c->next;
  if (c->next) c->next->previous = c->previous;
}
static inline void *blocks_take(blocks *b, size_t n) {
  const size_t class = blocks_class(n), bytes = blocks_bytes(class), room = blocks_chunk(class);
  if (class >= CLASSES) return pa_alloc(b->pages, blocks_pages(n), NULL);
  chunk *c = b->open[class];
  if (!c) {
    if (!(c = (chunk *)pa_alloc_aligned(b->pages, room / PA_PAGE_SIZE, room, NULL))) return NULL;
    c->free = NULL, c->live = 0, c->fresh = 64;
    blocks_link(b, class, c);
  }
  void *block = c->free;
  if (block) memcpy(&c->free, block, sizeof(void *));
  else block = (char *)c + c->fresh, c->fresh += (unsigned)bytes;
  c->live++;
  if (!c->free && c->fresh + bytes > room) blocks_unlink(b, class, c);
  return block;
}
static inline void blocks_give(blocks *b, void *block, size_t n) {
  const size_t class = blocks_class(n), bytes = blocks_bytes(class), room = blocks_chunk(class);
  chunk *c = (chunk *)((uintptr_t)block & ~(uintptr_t)(room - 1));
  if (class >= CLASSES) { (void)pa_free(b->pages, block, blocks_pages(n)); return; }
  if (!c->free && c->fresh + bytes > room) blocks_link(b, class, c);
  memcpy(block, &c->free, sizeof(void *)), c->free = block;
  if (--c->live == 0) blocks_unlink(b, class, c), pa_free(b->pages, c, room / PA_PAGE_SIZE);
}
static inline void *blocks_resize(blocks *b, void *block, size_t old, size_t n) {
  if (blocks_class(old) == blocks_class(n) && blocks_class(n) < CLASSES) return block;
  if (blocks_class(old) + blocks_class(n) >= 2 * CLASSES) {
    return pa_resize(b->pages, block, blocks_pages(n), 0, NULL);
  }
  void *moved = blocks_take(b, n);
  if (moved) memcpy(moved, block, old < n ? old : n), blocks_give(b, block, old);
  return moved;
}
