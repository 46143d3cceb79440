/* Which handle an arena has, by the arena's place in the registry: for who has an address alone. */
#ifndef PAGEALLOC_HANDLES_H
#define PAGEALLOC_HANDLES_H

#include <stddef.h>

#pragma GCC visibility push(hidden)

/* Notes the handle of the arena in a place; NULL when it ends. */
void pai_set_handle(ptrdiff_t place, void *handle);

/* The handle of the arena in a place; NULL where there is none. */
void *pai_handle(ptrdiff_t place);

#pragma GCC visibility pop

#endif
