#define _GNU_SOURCE /* syscall */
#include "handles.h"

#include <errno.h>
#include <sched.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <time.h>
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

void pai_wait(unsigned *rounds) {
  enum { YIELDS = 64 };
  if ((*rounds)++ < YIELDS) {
    sched_yield();
  } else {
    const struct timespec nap = {.tv_sec = 0, .tv_nsec = 50000};
    (void)nanosleep(&nap, NULL);
  }
}

int pai_take_turn(pai_turn *turn) {
  const uint64_t process = (uint32_t)getpid();
  const uint64_t own = process << 32 | (uint32_t)syscall(SYS_gettid);
  unsigned rounds = 0;
  for (;;) {
    uint64_t holder = 0;
    while (holder >> 32 != process) {
      /* Nobody's, or of a thread that stayed behind. */
      if (__atomic_compare_exchange_n(&turn->holder, &holder, own, 0, __ATOMIC_ACQUIRE,
                                      __ATOMIC_RELAXED)) {
        return 0;
      }
    }
    if (holder == own) return EDEADLK;
    pai_wait(&rounds);
  }
}

void pai_end_turn(pai_turn *turn) { __atomic_store_n(&turn->holder, 0, __ATOMIC_RELEASE); }
