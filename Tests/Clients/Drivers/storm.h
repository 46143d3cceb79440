/* A program of memory for an allocator: threads that take, check, change and free blocks, in
 * phases that grow and shrink, some of which another thread frees. */
#ifndef STORM_H
#define STORM_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>

enum {
  STORM_THREADS = 4,
  STORM_SLOTS = 40000,      /* blocks that a thread has at most */
  STORM_SHARED = 1024,      /* blocks that pass from thread to thread */
  STORM_ROUNDS = 4,         /* of threads: those of a round end before the next begins */
  STORM_PHASES = 2,         /* a phase fills the slots, the next one empties most of them */
  STORM_STEPS = 400000      /* of a phase and a thread; each is one operation or more */
};

/* An allocator, for how many rounds, and what came of it: operations, and blocks with wrong
 * contents. */
typedef struct {
  void *(*allocate)(size_t size);
  void *(*resize)(void *block, size_t size);
  void (*release)(void *block);
  int rounds;
  _Atomic uint64_t operations, mistakes;
} storm;

/* A block has its size in the first word, and at places all over it what size and place say. */
static inline uint64_t storm_word(uint64_t size, size_t at) {
  return size * 0x9e3779b97f4a7c15 ^ at;
}
enum { STORM_STRIDE = 512 };

static inline void storm_fill(uint64_t *block, size_t size) {
  block[0] = size;
  for (size_t at = 8; at + 8 <= size; at += STORM_STRIDE) block[at / 8] = storm_word(size, at);
}

/* Whether a block holds what it was filled with, up to a size. */
static inline bool storm_holds(const uint64_t *block, size_t upto) {
  const uint64_t size = block[0];
  for (size_t at = 8; at + 8 <= upto; at += STORM_STRIDE) {
    if (block[at / 8] != storm_word(size, at)) return false;
  }
  return true;
}

static inline uint64_t storm_random(uint64_t *state) {
  *state ^= *state << 13;
  *state ^= *state >> 7;
  *state ^= *state << 17;
  return *state;
}

/* Nine in ten are small; one in a hundred has up to 256 KiB; one in a thousand up to 2 MiB. */
static inline size_t storm_size(uint64_t *state) {
  const uint64_t random = storm_random(state);
  const unsigned kind = (unsigned)(random % 1000);
  const size_t pick = (size_t)(random >> 20);
  if (kind < 900) return 16 + pick % 496;
  if (kind < 990) return 512 + pick % 7680;
  if (kind < 999) return 8192 + pick % (248 << 10);
  return (256 << 10) + pick % (1792 << 10);
}

static uint64_t *_Atomic storm_shared[STORM_SHARED];

typedef struct {
  storm *storm;
  uint64_t seed;
  uint64_t **slots;
} storm_thread;

static inline void storm_free(storm *with, uint64_t *block, uint64_t *mistakes) {
  if (!storm_holds(block, block[0])) ++*mistakes;
  with->release(block);
}

static inline void *storm_run(void *argument) {
  storm_thread *mine = (storm_thread *)argument;
  storm *with = mine->storm;
  uint64_t random = mine->seed, operations = 0, mistakes = 0;
  for (int phase = 0; phase < STORM_PHASES; phase++) {
    const unsigned fill = phase % 2 == 0 ? 80 : 20; /* in 100 steps at an empty or full slot */
    for (int step = 0; step < STORM_STEPS; step++) {
      const uint64_t pick = storm_random(&random);
      uint64_t **slot = &mine->slots[pick % STORM_SLOTS];
      const unsigned dice = (unsigned)(pick >> 32) % 100;
      if (!*slot || dice < 10) {
        if (!*slot && dice >= fill) continue;
        const size_t size = storm_size(&random);
        uint64_t *block = *slot;
        const size_t old = block ? block[0] : 0;
        block = (uint64_t *)(old ? with->resize(block, size) : with->allocate(size));
        operations++;
        if (!block) {
          mistakes++;
          continue;
        }
        if (old && !storm_holds(block, old < size ? old : size)) mistakes++;
        storm_fill(block, size);
        *slot = block;
      } else if (dice < 20) {
        uint64_t *other = atomic_exchange(&storm_shared[(pick >> 48) % STORM_SHARED], *slot);
        *slot = other;
      } else if (dice >= fill) {
        storm_free(with, *slot, &mistakes);
        operations++;
        *slot = NULL;
      } else {
        if (!storm_holds(*slot, (*slot)[0])) mistakes++;
        storm_free(with, *slot, &mistakes);
        const size_t size = storm_size(&random);
        *slot = (uint64_t *)with->allocate(size);
        operations += 2;
        if (*slot) storm_fill(*slot, size);
        else mistakes++;
      }
    }
  }
  for (size_t i = 0; i < STORM_SLOTS; i++) {
    if (mine->slots[i]) storm_free(with, mine->slots[i], &mistakes), operations++;
    mine->slots[i] = NULL;
  }
  atomic_fetch_add(&with->operations, operations);
  atomic_fetch_add(&with->mistakes, mistakes);
  return NULL;
}

/* Runs it to its end: every block has been freed. `during` is called meanwhile, in each round. */
static inline void storm_all(storm *with, void (*during)(void)) {
  static uint64_t *slots[STORM_THREADS][STORM_SLOTS];
  for (int round = 0; round < with->rounds; round++) {
    storm_thread threads[STORM_THREADS];
    pthread_t handles[STORM_THREADS];
    for (int i = 0; i < STORM_THREADS; i++) {
      const uint64_t seed = 88172645463325252u + (uint64_t)(round * STORM_THREADS + i) * 7919;
      threads[i] = (storm_thread){with, seed, slots[i]};
      if (pthread_create(&handles[i], NULL, storm_run, &threads[i])) abort();
    }
    if (during) during();
    for (int i = 0; i < STORM_THREADS; i++) pthread_join(handles[i], NULL);
  }
  uint64_t mistakes = 0;
  for (int i = 0; i < STORM_SHARED; i++) {
    uint64_t *left = atomic_exchange(&storm_shared[i], NULL);
    if (left) storm_free(with, left, &mistakes), with->operations++;
  }
  atomic_fetch_add(&with->mistakes, mistakes);
}

#endif
