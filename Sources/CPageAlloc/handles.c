#include "handles.h"

#include <sched.h>
#include <stdint.h>
#include <unistd.h>

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

void pai_take_turn(pai_turn *turn) {
  const int own = (int)getpid();
  for (;;) {
    int holder = __atomic_load_n(&turn->process, __ATOMIC_RELAXED);
    if (holder != own && __atomic_compare_exchange_n(&turn->process, &holder, own, 0,
                                                     __ATOMIC_ACQUIRE, __ATOMIC_RELAXED)) {
      return;
    }
    sched_yield();
  }
}

void pai_end_turn(pai_turn *turn) { __atomic_store_n(&turn->process, 0, __ATOMIC_RELEASE); }
