/* Back-traces. */
#ifndef CDG_TRACE_H
#define CDG_TRACE_H

#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <stddef.h>
#include <stdint.h>
#include <unistd.h>
#include <unwind.h>

typedef struct {
  uintptr_t *addresses;
  size_t room, count;
  int skipped;
} cdg_walk;

static inline _Unwind_Reason_Code cdg_step(struct _Unwind_Context *context, void *argument) {
  cdg_walk *w = (cdg_walk *)argument;
  uintptr_t address = (uintptr_t)_Unwind_GetIP(context);
  if (address == 0) return _URC_END_OF_STACK;
  /* The first frame is cdg_trace. */
  if (!w->skipped) {
    w->skipped = 1;
    return _URC_NO_REASON;
  }
  if (w->count == w->room) return _URC_END_OF_STACK;
  w->addresses[w->count++] = address;
  return _URC_NO_REASON;
}

/* What a function with a frame pointer leaves on the stack. */
typedef struct {
  uintptr_t caller, address; /* the caller's frame, and where it goes on */
} cdg_frame;

/* Reads a frame that may be none at all: the kernel copies it, or finds that it cannot. */
static inline int cdg_read_frame(uintptr_t place, cdg_frame *out) {
  struct iovec here = {out, sizeof *out}, there = {(void *)place, sizeof *out};
  long n = syscall(SYS_process_vm_readv, getpid(), &here, 1ul, &there, 1ul, 0ul);
  if (n == (long)sizeof *out) return 1;
  if (n >= 0 || errno == EFAULT) return 0;
  /* No such call, or not for us: at least it must be mapped. */
  unsigned char flags[2];
  uintptr_t page = place & ~(uintptr_t)(sysconf(_SC_PAGESIZE) - 1);
  if (mincore((void *)page, place - page + sizeof *out, flags) != 0) return 0;
  *out = *(const cdg_frame *)place;
  return 1;
}

/* By frame pointers: Embedded Swift emits no tables to unwind by, but keeps these. */
static inline size_t cdg_walk_frames(uintptr_t place, uintptr_t *addresses, size_t room) {
  size_t count = 0;
  cdg_frame f;
  while (count < room && place % sizeof place == 0 && cdg_read_frame(place, &f)) {
    if (f.address < 4096) break;
    addresses[count++] = f.address;
    /* The stack grows down, so that callers are above, and not far. */
    if (f.caller <= place || f.caller - place > 1 << 20) break;
    place = f.caller;
  }
  return count;
}

/* The return addresses of the calling thread, innermost first, without this function's own.
 * The number of them: 0 where nothing is known. */
static __attribute__((noinline)) size_t cdg_trace(uintptr_t *addresses, size_t room) {
  int error = errno;
  cdg_walk w = {addresses, room, 0, 0};
  (void)_Unwind_Backtrace(cdg_step, &w);
  size_t count = w.count;
  if (count < 3) {
    count = cdg_walk_frames((uintptr_t)__builtin_frame_address(0), addresses, room);
    if (count < w.count) count = w.count;
  }
  errno = error;
  return count;
}

/* The number of the calling thread, as the kernel counts. */
static inline uint32_t cdg_thread(void) { return (uint32_t)syscall(SYS_gettid); }

#endif
