/* Which handle an arena has, by the arena's place in the registry: for who has an address alone. */
#ifndef PAGEALLOC_HANDLES_H
#define PAGEALLOC_HANDLES_H

#include <stddef.h>
#include <stdint.h>

#pragma GCC visibility push(hidden)

/* Notes the handle of the arena in a place; NULL when it ends. */
void pai_set_handle(ptrdiff_t place, void *handle);

/* The handle of the arena in a place; NULL where there is none. */
void *pai_handle(ptrdiff_t place);

/* A turn that one thread has at a time: the numbers of its process and its own, in one word, so
 * that a signal's handler finds both or neither; 0 where nobody has it. */
typedef struct {
  _Alignas(8) uint64_t holder;
} pai_turn;

/* One round of waiting for another thread; rounds: how many there were. It sleeps after some, so
 * that a thread of a lower class than the caller's gets on. */
void pai_wait(unsigned *rounds);

/* Waits for a turn. In a child of fork, that of a thread which stayed behind is over. 0, or EDEADLK
 * where the calling thread has it: this is the handler of a signal. */
int pai_take_turn(pai_turn *turn);
void pai_end_turn(pai_turn *turn);

#pragma GCC visibility pop

#endif
