/* ARM: a buffer of one store for each word and thread, which reach memory in any order, and loads
 * that may run early, as far as the thread's last acquire. A release store waits for all before
 * it. */

/* Stores on their way, and loads that ran early: the value and 1, or 0 for none. */
byte buffer[12];
byte early[12];

#define AT(t, v) t * 3 + v
#define IS_EMPTY(t) (buffer[t * 3] == 0 && buffer[t * 3 + 1] == 0 && buffer[t * 3 + 2] == 0)

inline perform(t, v, x) {
  if
  :: early[AT(t, v)] != 0 -> x = early[AT(t, v)] - 1; early[AT(t, v)] = 0
  :: else ->
     if
     :: buffer[AT(t, v)] != 0 -> x = buffer[AT(t, v)] - 1
     :: else -> x = mem[v]
     fi
  fi
}

inline load(t, v, x) { d_step { perform(t, v, x) } }

/* What ran before an acquire runs again; what ran early behind one that ran early itself stays. */
inline loadAcquire(t, v, x) {
  d_step {
    if
    :: early[AT(t, v)] == 0 -> forgetEarly(t)
    :: else
    fi;
    perform(t, v, x)
  }
}

inline forgetEarly(t) { early[t * 3] = 0; early[t * 3 + 1] = 0; early[t * 3 + 2] = 0 }

inline store(t, v, x) {
  d_step { buffer[AT(t, v)] == 0 -> buffer[AT(t, v)] = x + 1; early[AT(t, v)] = 0 }
}
inline storeRelease(t, v, x) {
  d_step { IS_EMPTY(t) -> buffer[AT(t, v)] = x + 1; early[AT(t, v)] = 0 }
}

#define FLUSH(t, v) \
  d_step { buffer[AT(t, v)] != 0 -> mem[v] = buffer[AT(t, v)] - 1; buffer[AT(t, v)] = 0 }

/* An owner's loads in CacheFront.enter and behind it. Under the lock nobody else changes what an
 * owner reads, so that early and late are the same. What is behind an acquire runs early only if
 * that did. */
#define MAY(t) (owner == t && lock != t)
#if MUTANT == 4
#define RUN_CLOSED(t) RUN_EARLY(t, CLOSED, MAY(t), skip)
#define RUN_HELD(t) RUN_EARLY(t, HELD, MAY(t), skip)
#else
#define RUN_CLOSED(t) RUN_EARLY(t, CLOSED, MAY(t), forgetEarly(t))
#define RUN_HELD(t) RUN_EARLY(t, HELD, MAY(t) && early[AT(t, CLOSED)] != 0, skip)
#endif
#define RUN_EARLY(t, v, may, forget) \
  d_step { may && early[AT(t, v)] == 0 && buffer[AT(t, v)] == 0 -> \
    forget; early[AT(t, v)] = mem[v] + 1 }

proctype Memory() {
end:
  do
  :: FLUSH(X, INSIDE)
  :: FLUSH(X, CLOSED)
  :: FLUSH(X, HELD)
  :: FLUSH(Y, INSIDE)
  :: FLUSH(Y, CLOSED)
  :: FLUSH(Y, HELD)
  :: FLUSH(A, CLOSED)
  :: FLUSH(A, HELD)
  :: FLUSH(B, CLOSED)
  :: FLUSH(B, HELD)
  :: RUN_CLOSED(X)
  :: RUN_HELD(X)
  :: RUN_CLOSED(Y)
  :: RUN_HELD(Y)
#if MUTANT == 21
  /* With an acquire, a drain reads nothing between the lock and `isInside`, nor anything before. */
  :: RUN_EARLY(A, HELD, lock == A, skip)
  :: RUN_EARLY(B, HELD, lock == B, skip)
#endif
  od
}

inline fence(t) {
  forgetEarly(t);
  if :: buffer[t * 3] != 0 -> mem[0] = buffer[t * 3] - 1; buffer[t * 3] = 0 :: else fi;
  if :: buffer[t * 3 + 1] != 0 -> mem[1] = buffer[t * 3 + 1] - 1; buffer[t * 3 + 1] = 0 :: else fi;
  if :: buffer[t * 3 + 2] != 0 -> mem[2] = buffer[t * 3 + 2] - 1; buffer[t * 3 + 2] = 0 :: else fi
}
inline passBarrier() {
  d_step { fence(X) };
  d_step { fence(Y) }
}
inline fenceAll() { fence(X); fence(Y); fence(A); fence(B) }

inline lockAs(t) { d_step { lock == NOBODY -> lock = t; forgetEarly(t) } }
inline unlockAs(t) { d_step { IS_EMPTY(t) -> release(t) } }
inline release(t) {
  if
  :: lock == t -> lock = NOBODY
  :: else
  fi
}
