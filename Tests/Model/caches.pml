/* Caches, their owners, and those who empty them
 * ==============================================
 *
 * One cache, two threads that own it one after the other, two drains that take back what it
 * holds, a fork, and the end of the arena. One run of pages is all there is: it is in the cache
 * (HELD), in use (`hand`), or with the allocator (`pool`). Whoever may touch the cache must find
 * the run in exactly one of these places: in two it was handed out twice, in none it is lost.
 *
 * Each step names the Swift function that it stands for; MUTANT breaks one. README.md has a table.
 *
 *   -DARM       the memory of arm.pml, in place of that of x86.pml
 *   -DEND       the end of the arena beside one drain, in place of two drains and a fork
 *   -DMUTANT=n  step n is broken; -DOLD_RULE: a drain takes from any closed cache
 *
 * `atomic` joins steps that no other thread can tell apart: what a thread does to its own buffer of
 * stores, and reads of what only the holder of the lock changes.
 */

#ifdef OLD_RULE
#define MUTANT 100
#endif
#ifndef LAST
#define LAST 2
#endif
#ifndef MUTANT
#define MUTANT 0
#endif

/* Threads: two owners, two that drain. */
#define X 0
#define Y 1
#define A 2
#define B 3
/* Those who do all that matters under the lock. */
#define FORK 8
#define ENDER 9
#define NOBODY 15

/* What threads read and write without a lock: CacheFront.isInside, CacheFront.closedWith, and what
 * the cache holds. */
#define INSIDE 0
#define CLOSED 1
#define HELD 2
byte mem[3];

/* The heap lock: its holder. */
byte lock = NOBODY;

/* Guarded by it: CacheList.lastTicket; whose the cache is, NOBODY where CacheList.retire has it;
 * Owners.isOrphan, with which CacheList.isClosedForGood goes. */
byte drains = 0;
byte owner = X;
bit orphan = 0;

/* Where the run is, if not in the cache. */
bit hand = 0;
bit pool = 1;

/* What the model alone knows: the cache was emptied since the drain asked; the arena has added up
 * what the caches counted, so that nobody may go into one any more. */
bit emptied[4];
bit ended = 0;

#ifdef ARM
#include "arm.pml"
#else
#include "x86.pml"
#endif

#define EXACT(seen) assert(seen + hand + pool == 1)

/* Heap.takeAll of a cache, by who may touch it. */
inline takeAll(t) {
  load(t, HELD, h);
  EXACT(h);
  if
  :: h != 0 -> store(t, HELD, 0); pool = 1
  :: else
  fi;
  h = 0;
  emptied[A] = 1;
  emptied[B] = 1
}

/* CacheList.reopen: CacheFront.open; a cache of an arena that has gone stays closed. */
inline reopen(t) {
  if
#if MUTANT != 27
  :: orphan
  :: else ->
#else
  :: true ->
#endif
#if MUTANT == 14
     store(t, CLOSED, 0)
#else
     storeRelease(t, CLOSED, 0)
#endif
  fi
}

/* Heap.drainIfClosed, of a cache that is; Heap.drainClosed calls it, too. */
inline drainIfClosed(t) {
#if MUTANT == 15
  reopen(t);
  takeAll(t)
#elif MUTANT == 16
  reopen(t)
#else
  takeAll(t);
  reopen(t)
#endif
}

/* Heap.closeForDrain, that is CacheList.close: CacheList.nextTicket, and CacheFront.close(with:).
 * `h`: the cache holds something. */
inline closeForDrain(t) {
#if MUTANT != 7
  drains++;
#endif
  d = drains;
  load(t, HELD, h);
  load(t, CLOSED, c);
  if
  :: h != 0 ->
     if
     :: t == A || t == B -> emptied[t] = 0
     :: else
     fi;
     if
#if MUTANT == 8
     :: true -> skip
#elif MUTANT == 9
     :: true -> store(t, CLOSED, d)
#else
     :: c == 0 -> store(t, CLOSED, d)
     :: else
#endif
     fi
  :: else -> d = 0
  fi;
  c = 0
}

/* DrainTicket.covers: `d` is the drain's own ticket, `c` the one that the cache was closed with. */
#if MUTANT == 100
#define IS_CLOSED (c != 0)
#elif MUTANT == 13
#define IS_CLOSED (true)
#else
#define IS_CLOSED (c != 0 && c <= d)
#endif

/* A thread that gets the cache, uses it by the front and by the lock, and ends. */
proctype Owner(byte t) {
  byte c, h, d;

  /* Heap.obtainCache, that is CacheList.takeRetired; X has it from the start. */
  if
  :: t == X
  :: t == Y ->
     atomic {
       (owner == NOBODY && lock == NOBODY) -> lockAs(t);
       owner = t;
       /* What waits for an owner holds nothing. */
       load(t, HELD, h);
       assert(h == 0);
       reopen(t)
     };
     unlockAs(t)
  fi;

  do
  :: /* allocate and deallocate of UnsafeMutablePointer<RunCache>: CacheFront.enter */
#if MUTANT == 2
     loadAcquire(t, CLOSED, c);
#endif
#if MUTANT != 1
     store(t, INSIDE, 1);
#endif
#if MUTANT == 4
     load(t, CLOSED, c);
#elif MUTANT != 2
     loadAcquire(t, CLOSED, c);
#endif
#if MUTANT == 3
     c = 0;
#endif
     if
     :: c != 0 ->
        atomic {
          c = 0;
#if MUTANT != 5
          storeRelease(t, INSIDE, 0)
#endif
        };
        goto slowly
     :: else
     fi;
     atomic {
       assert(!ended);
       load(t, HELD, h);
       EXACT(h);
       if
       :: h != 0 -> store(t, HELD, 0)
       :: h == 0 && hand != 0 -> store(t, HELD, 1)
       :: else
       fi
     };
     /* The run table says whether the run is in use; then CacheFront.leave. */
     atomic {
       if
       :: h != 0 -> h = 0; hand = 1
       :: else -> hand = 0
       fi;
#if MUTANT == 6
       store(t, INSIDE, 0)
#elif MUTANT != 10
       storeRelease(t, INSIDE, 0)
#endif
     }

  :: true ->
slowly:
     /* ArenaCore.refillAndTake, .makeRoomAndPut: by the lock, as the owner: first drainIfClosed */
     atomic {
#if MUTANT != 17
       lockAs(t);
#endif
       load(t, INSIDE, c);
       assert(c == 0);
       load(t, CLOSED, c)
     };
     atomic {
       if
       :: c != 0 -> c = 0; drainIfClosed(t)
       :: else
       fi
     };
     atomic {
       load(t, HELD, h);
       EXACT(h);
       h = 0
     };
     /* In two steps, so that a fork without the lock would see one without the other. */
     if
     :: hand -> hand = 0
     :: pool && !orphan -> pool = 0
     :: true -> goto unlock
     fi;
     atomic {
       if
       :: orphan -> pool = 1
       :: else -> store(t, HELD, 1)
       fi;
unlock:
       unlockAs(t)
     }

  :: drains < LAST ->
     /* ArenaCore.drainCaches(own:), where the kernel has no membarrier */
     atomic { lockAs(t); closeForDrain(t) };
     unlockAs(t);
     if
     :: h != 0 ->
        h = 0;
        atomic { lockAs(t); load(t, CLOSED, c) };
        atomic {
          if
          :: IS_CLOSED -> drainIfClosed(t)
          :: else
          fi;
          c = 0;
          d = 0;
          load(t, HELD, h);
          assert(h == 0)
        };
        unlockAs(t)
     :: else
     fi

  :: true ->
     /* ArenaCore.retire, that is Heap.retire: the thread ends */
#if MUTANT == 18
     takeAll(t);
#elif MUTANT == 28
     atomic { lockAs(t) };
#else
     atomic { lockAs(t); takeAll(t) };
#endif
     atomic { owner = NOBODY; unlockAs(t) };
     break
  od
}

/* ArenaCore.drainCaches by a thread that does not own the cache: the scavenger's, or another. */
proctype Drain(byte t) {
  byte c, h, d, b;
  bit canSeeOthers = 0;

#if MUTANT == 11
  passBarrier();
#endif
#if MUTANT == 12
  atomic { closeForDrain(t) };
  fence(t);
#else
  atomic { lockAs(t); closeForDrain(t) };
  unlockAs(t);
#endif
  if
  :: h == 0 -> goto done
  :: else -> h = 0
  fi;
  /* SysMem.passBarrier; false where the kernel refuses */
  if
#if MUTANT == 11
  :: canSeeOthers = 1
#elif MUTANT == 19
  :: canSeeOthers = 1
  :: passBarrier(); canSeeOthers = 1
#else
  :: true
  :: passBarrier(); canSeeOthers = 1
#endif
  fi;
look:
  /* Heap.drainClosed, that is CacheList.drainClosed, with CacheFront.isOutside */
  atomic { lockAs(t); load(t, CLOSED, c) };
  if
  :: IS_CLOSED && canSeeOthers ->
#if MUTANT == 20
     skip;
#elif MUTANT == 21
     load(t, INSIDE, b);
#else
     loadAcquire(t, INSIDE, b);
#endif
     atomic {
       if
       :: b == 0 -> drainIfClosed(t)
       :: else
       fi
     }
  :: IS_CLOSED && !canSeeOthers -> b = 1
  :: else
  fi;
  atomic {
    c = 0;
    /* A drain that is done keeps its promise. */
    assert(b != 0 || emptied[t]);
    unlockAs(t)
  };
  if
  :: b != 0 && canSeeOthers -> b = 0; goto look
  :: true
  fi;
done:
  atomic { c = 0; h = 0; d = 0; b = 0; canSeeOthers = 0 }
}

/* beforeFork and renewChild of Fork.swift, Heap.takeOrphanedCaches: what a child finds. */
proctype Fork() {
#if MUTANT == 22
  d_step {
#else
  d_step {
    lock == NOBODY ->
#endif
    /* To copy the page tables the kernel has every processor give up what it knew of them. */
    fenceAll();
    if
#if MUTANT != 23
    /* RunCache.forget: what it held is lost to the child, but in use once at the most. */
    :: mem[INSIDE] != 0 -> assert(hand + pool <= 1)
    :: else -> EXACT(mem[HELD])
#else
    :: true -> EXACT(mem[HELD])
#endif
    fi
  }
}

/* ArenaCore.endOrOrphan */
proctype End() {
  /* Heap.closeCaches, that is CacheList.closeForGood */
  d_step {
    lock == NOBODY ->
    drains++;
    orphan = 1;
    if
#if MUTANT == 24
    :: mem[CLOSED] == 0 -> mem[CLOSED] = 1
#else
    :: mem[CLOSED] == 0 -> mem[CLOSED] = drains
#endif
    :: else
    fi
  };
#if MUTANT != 25
  passBarrier();
#endif
  /* Heap.addUpOwners, by CacheList.ownerCount */
#if MUTANT == 26
  d_step { lock == NOBODY -> lock = ENDER };
#else
  d_step { lock == NOBODY && mem[INSIDE] == 0 -> lock = ENDER };
#endif
  d_step {
    EXACT(mem[HELD]);
    ended = 1;
    lock = NOBODY
  }
}

init {
  atomic {
    run Memory();
    run Owner(X);
    run Owner(Y);
    run Drain(A);
#ifdef END
    run End()
#else
    run Drain(B);
    run Fork()
#endif
  }
}
