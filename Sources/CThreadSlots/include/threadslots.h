/* CThreadSlots: what a thread and the process know of arenas, where C can say it and Swift cannot.
 *
 * A thread-local variable needs a definition in one object file; from a header alone it would be
 * copied a module. The initial-exec model makes an access one instruction. Everything is hidden:
 * two copies of the library in a process, the program's and a dynamic library's, share nothing.
 *
 * A constructor registers the handlers of fork when the library is loaded: whoever registers some
 * later, as a program does, has them run outside of ours. They do nothing until there is an arena.
 */
#ifndef THREADSLOTS_H
#define THREADSLOTS_H

#include <stdint.h>

/* Which cache a thread has for an arena. */
typedef struct {
  uintptr_t arena; /* the arena's number, never used twice; 0 for a free slot */
  uintptr_t cache; /* the cache's address, good as long as the arena lives */
} cts_slot;

/* The same as one value, which some processors load and store by one instruction. */
typedef uintptr_t cts_slot_value __attribute__((vector_size(2 * sizeof(uintptr_t))));
#if defined(__x86_64__)
#define CTS_LOADS_SLOTS 1
#else
#define CTS_LOADS_SLOTS 0
#endif

/* Arenas in the first places of the registry have their slots here; the others in a table. */
enum { CTS_NEAR_SLOTS = 8 };

/* What a thread knows of arenas. */
typedef struct {
  _Alignas(cts_slot_value)
  cts_slot last;                 /* a copy of the slot used last: what is looked at first */
  uintptr_t changes;             /* how often that was set, where it is not loaded at once */
  cts_slot near[CTS_NEAR_SLOTS]; /* by the arena's place in the registry */
  uintptr_t table;               /* the address of the slots of further places; 0 for none */
  uintptr_t table_count;         /* how many there are */
  uintptr_t has_ended;           /* what it had at hand was given back, since it ends: no more */
  uintptr_t inside;              /* what of the library's it is in the middle of (InsideMark) */
  uintptr_t number;              /* how recordings name it, from 1 on; 0 for not yet */
  uintptr_t asking;              /* the arena whose limit handler it is in; 0 for none */
} cts_thread;

extern __thread cts_thread cts_this_thread
    __attribute__((tls_model("initial-exec"), visibility("hidden")));

/* What this thread knows. It starts with the slot used last. */
static inline cts_thread *cts_thread_here(void) { return &cts_this_thread; }

/* The slot used last, at one instant: the handler of a signal may come at any other, and use other
 * arenas. One instruction cannot be interrupted in the middle. Where it takes two, how often the
 * slot was set is looked at before and after: a compiler may move a plain load past a fence of
 * signals, but no volatile one past another. */
static inline cts_slot cts_last(void) {
#if CTS_LOADS_SLOTS
  const cts_slot_value last = *(const volatile cts_slot_value *)&cts_this_thread.last;
  return (cts_slot){last[0], last[1]};
#else
  const volatile cts_thread *thread = &cts_this_thread;
  for (;;) {
    const uintptr_t changes = thread->changes;
    const cts_slot last = {thread->last.arena, thread->last.cache};
    if (thread->changes == changes) return last;
  }
#endif
}

/* Sets the slot used last: a handler finds none, or this one. */
static inline void cts_set_last(uintptr_t arena, uintptr_t cache) {
#if CTS_LOADS_SLOTS
  *(volatile cts_slot_value *)&cts_this_thread.last = (cts_slot_value){arena, cache};
#else
  volatile cts_thread *thread = &cts_this_thread;
  thread->last.arena = 0;
  thread->changes = thread->changes + 1;
  thread->last.cache = cache;
  thread->last.arena = arena;
#endif
}

/* Keeps the compiler from moving memory accesses across; costs no instruction. */
static inline void cts_compiler_barrier(void) { __atomic_signal_fence(__ATOMIC_SEQ_CST); }

/* The process's arenas. */
typedef struct {
  uint32_t lock;    /* a word for a futex lock, which guards the rest */
  uint32_t used;    /* places that were ever used */
  uint32_t free;    /* the first free one of them, and 1; 0 for none */
  uintptr_t places; /* the address of the table; 0 before the first arena */
  uintptr_t tables; /* the first of the threads' tables of slots (SlotTables) */
} cts_registry;

extern cts_registry cts_arenas __attribute__((visibility("hidden")));

static inline cts_registry *cts_registry_here(void) { return &cts_arenas; }

/* What the handlers of fork call; null before the first arena. */
typedef struct {
  void (*prepare)(void);
  void (*parent)(void);
  void (*child)(void);
} cts_fork_handlers;

extern cts_fork_handlers cts_fork __attribute__((visibility("hidden")));

/* Sets them. To set the same once more changes nothing. A fork meanwhile that finds the first finds
 * all of them. */
static inline void cts_set_fork_handlers(void (*prepare)(void), void (*parent)(void),
                                         void (*child)(void)) {
  cts_fork.parent = parent;
  cts_fork.child = child;
  __atomic_store_n(&cts_fork.prepare, prepare, __ATOMIC_RELEASE);
}

#endif
