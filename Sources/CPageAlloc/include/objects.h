/* Where the objects of libpagealloc lie: a few hundred bytes an arena, in mapped memory of the
 * library's own.
 *
 * The Swift compiler allocates objects by malloc, posix_memalign and free. When libpagealloc is
 * built these names are redirected to the functions below, so that the library works where a
 * program's malloc stands on it. Everything is hidden. */
#ifndef PAGEALLOC_OBJECTS_H
#define PAGEALLOC_OBJECTS_H

#include <stddef.h>

#pragma GCC visibility push(hidden)

/* As malloc: NULL where the kernel has no memory. */
void *pai_malloc(size_t size);

/* The compiler ends the program where there is no memory for an object. So whoever is about to make
 * some has room made for PAI_ROOM bytes of them first: 0, or ENOMEM; and says when it is done. */
enum { PAI_ROOM = 4096 };
int pai_make_room(void);
void pai_end_room(void);

/* As posix_memalign. */
int pai_posix_memalign(void **object, size_t alignment, size_t size);

/* As free; a block that came from elsewhere is left alone. */
void pai_free(void *object);

#pragma GCC visibility pop

#endif
