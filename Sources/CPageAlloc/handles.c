#include "handles.h"

#include <stdint.h>

/* As many as the registry has places; only those that are used are ever backed. */
enum { PLACES = sizeof(void *) == 8 ? 1 << 16 : 1 << 12 };
static void *handles[PLACES];

void pai_set_handle(ptrdiff_t place, void *handle) {
  if (place >= 0 && place < PLACES) __atomic_store_n(&handles[place], handle, __ATOMIC_RELEASE);
}

void *pai_handle(ptrdiff_t place) {
  if (place < 0 || place >= PLACES) return NULL;
  return __atomic_load_n(&handles[place], __ATOMIC_ACQUIRE);
}
