/* Which handle an arena has, by the arena's place in the registry: for who has an address alone. */
#ifndef PAGEALLOC_HANDLES_H
#define PAGEALLOC_HANDLES_H

#include <stddef.h>

#pragma GCC visibility push(hidden)

/* Notes the handle of the arena in a place; NULL when it ends. */
void pai_set_handle(ptrdiff_t place, void *handle);

/* The handle of the arena in a place; NULL where there is none. */
void *pai_handle(ptrdiff_t place);

/* A turn that one thread has at a time: the number of its process; 0 where nobody has it. */
typedef struct {
  int process;
} pai_turn;

/* Waits for a turn. In a child of fork, that of a thread which stayed behind is over. */
void pai_take_turn(pai_turn *turn);
void pai_end_turn(pai_turn *turn);

#pragma GCC visibility pop

#endif
