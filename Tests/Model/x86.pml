/* x86: a FIFO buffer of stores a thread. A load sees the thread's own stores, then memory. */

#define DEPTH 4

byte word[16];
byte value[16];
byte count[4];

/* The newest store of a thread to a word, else what memory has. */
inline newest(t, v, x) {
  x = mem[v];
  if
  :: count[t] > 0 && word[t * DEPTH] == v -> x = value[t * DEPTH]
  :: else
  fi;
  if
  :: count[t] > 1 && word[t * DEPTH + 1] == v -> x = value[t * DEPTH + 1]
  :: else
  fi;
  if
  :: count[t] > 2 && word[t * DEPTH + 2] == v -> x = value[t * DEPTH + 2]
  :: else
  fi;
  if
  :: count[t] > 3 && word[t * DEPTH + 3] == v -> x = value[t * DEPTH + 3]
  :: else
  fi
}

inline load(t, v, x) { d_step { newest(t, v, x) } }
inline loadAcquire(t, v, x) { d_step { newest(t, v, x) } }

inline store(t, v, x) {
  d_step {
    count[t] < DEPTH ->
    word[t * DEPTH + count[t]] = v;
    value[t * DEPTH + count[t]] = x;
    count[t]++
  }
}
inline storeRelease(t, v, x) { store(t, v, x) }

/* The oldest store of a thread reaches memory. */
inline flush(t) {
  mem[word[t * DEPTH]] = value[t * DEPTH];
  word[t * DEPTH] = word[t * DEPTH + 1];
  value[t * DEPTH] = value[t * DEPTH + 1];
  word[t * DEPTH + 1] = word[t * DEPTH + 2];
  value[t * DEPTH + 1] = value[t * DEPTH + 2];
  word[t * DEPTH + 2] = word[t * DEPTH + 3];
  value[t * DEPTH + 2] = value[t * DEPTH + 3];
  word[t * DEPTH + 3] = 0;
  value[t * DEPTH + 3] = 0;
  count[t]--
}

proctype Memory() {
end:
  do
  :: d_step { count[X] > 0 -> flush(X) }
  :: d_step { count[Y] > 0 -> flush(Y) }
  :: d_step { count[A] > 0 -> flush(A) }
  :: d_step { count[B] > 0 -> flush(B) }
  od
}

inline fence(t) {
  do
  :: count[t] > 0 -> flush(t)
  :: else -> break
  od
}

/* Every thread passes a fence, one after the other. */
inline passBarrier() {
  d_step { fence(X) };
  d_step { fence(Y) }
}
inline fenceAll() { fence(X); fence(Y); fence(A); fence(B) }

/* What takes the lock is itself a fence; what gives it back comes after all stores. */
inline lockAs(t) { d_step { lock == NOBODY && count[t] == 0 -> lock = t } }
inline unlockAs(t) { d_step { count[t] == 0 -> release(t) } }
inline release(t) {
  if
  :: lock == t -> lock = NOBODY
  :: else
  fi
}
