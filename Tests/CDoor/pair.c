/* What a pair through the door takes: a run of one page is taken and given back, by way of the
 * thread's cache and by way of a handle. The least of many rounds, in nanoseconds. */
#define _POSIX_C_SOURCE 200809L
#include <stdio.h>
#include <time.h>

#include "pagealloc.h"

enum { PAIRS = 1000000, ROUNDS = 25 };

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static double by_thread(pa_arena *arena) {
  const double start = now();
  for (int i = 0; i < PAIRS; i++) {
    void *run = pa_alloc(arena, 1, NULL);
    if (pa_free(arena, run, 1) != PA_OK) return -1;
  }
  return (now() - start) / PAIRS;
}

static double by_handle(pa_cache *cache) {
  const double start = now();
  for (int i = 0; i < PAIRS; i++) {
    void *run = pa_cache_alloc(cache, 1, NULL);
    if (pa_cache_free(cache, run, 1) != PA_OK) return -1;
  }
  return (now() - start) / PAIRS;
}

int main(void) {
  pa_arena *arena;
  pa_cache *cache;
  if (pa_create(NULL, &arena) != PA_OK || pa_cache_create(arena, &cache) != PA_OK) return 1;
  double thread = 1e9, handle = 1e9;
  for (int round = 0; round < ROUNDS; round++) {
    const double one = by_thread(arena), other = by_handle(cache);
    if (one < 0 || other < 0) return 1;
    if (one < thread) thread = one;
    if (other < handle) handle = other;
  }
  printf("a pair: %.2f ns by the thread's cache, %.2f ns by a handle\n", thread, handle);
  pa_cache_destroy(cache);
  pa_destroy(arena);
  return 0;
}
