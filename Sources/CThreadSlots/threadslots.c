#include "threadslots.h"

#include <pthread.h>

__thread cts_thread cts_this_thread;
cts_registry cts_arenas;
cts_fork_handlers cts_fork;

static void prepare(void) {
  void (*const prepares)(void) = __atomic_load_n(&cts_fork.prepare, __ATOMIC_ACQUIRE);
  if (prepares) prepares();
}
static void parent(void) {
  if (cts_fork.parent) cts_fork.parent();
}
static void child(void) {
  if (cts_fork.child) cts_fork.child();
}

/* When the library is loaded, among the first things that happen then. Without memory for the
 * handlers fork is as dangerous as with any lock. */
__attribute__((constructor(101))) static void cts_at_fork(void) {
  (void)pthread_atfork(prepare, parent, child);
}
