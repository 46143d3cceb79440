/* CThreadSlots: what a thread and the process know of arenas, where C can say it and Swift cannot.
 *
 * A thread-local variable needs a definition in one object file; from a header alone it would be
 * copied a module. The initial-exec model makes an access one instruction.
 */
#ifndef THREADSLOTS_H
#define THREADSLOTS_H

#include <stdint.h>

/* Which cache this thread has for an arena. */
typedef struct {
  uintptr_t arena; /* the arena's number, never used twice; 0 for a free slot */
  uintptr_t cache; /* the cache's address, good as long as the arena lives */
} cts_slot;

enum { CTS_SLOT_COUNT = 4 };

extern __thread cts_slot cts_slots[CTS_SLOT_COUNT]
    __attribute__((tls_model("initial-exec")));

/* This thread's slots; the first is the one looked at first. */
static inline cts_slot *cts_thread_slots(void) { return cts_slots; }

/* Keeps the compiler from moving memory accesses across; costs no instruction. */
static inline void cts_compiler_barrier(void) { __atomic_signal_fence(__ATOMIC_SEQ_CST); }

/* The process's arenas: a lock word for a futex lock, and the head of a list. */
extern uintptr_t cts_registry_head __attribute__((visibility("hidden")));
extern uint32_t cts_registry_lock __attribute__((visibility("hidden")));

static inline uintptr_t *cts_registry_head_address(void) { return &cts_registry_head; }
static inline uint32_t *cts_registry_lock_address(void) { return &cts_registry_lock; }

#endif
