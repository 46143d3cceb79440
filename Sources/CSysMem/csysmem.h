/* CSysMem: the part of glibc and of the kernel that PageAlloc uses, one function a call.
 *
 * Each wrapper returns what the call gave and reports a failure as an errno value; none hides
 * one. Two shapes:
 *   - `int csm_x(...)`: 0 or an errno value (positive);
 *   - `csm_word csm_x(...)`: a result and an errno value, one of which is meaningful.
 *
 * Macros such as `errno` and `MAP_FAILED` do not reach Swift, hence the static inlines. The
 * header must not define _GNU_SOURCE: the Swift overlay of glibc is built without it.
 */
#ifndef CSYSMEM_H
#define CSYSMEM_H

#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <pthread.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

/* ---- Constants that glibc 2.36 lacks. The kernel is asked at run time whether it knows them. */
#define CSM_MADV_POPULATE_READ 22
#define CSM_MADV_POPULATE_WRITE 23
#define CSM_MADV_COLLAPSE 25
#define CSM_MADV_GUARD_INSTALL 102
#define CSM_MADV_GUARD_REMOVE 103

/* A result, or an errno value other than 0. */
typedef struct {
  uintptr_t value;
  int error;
} csm_word;

/* ---- Memory */

/* Private anonymous memory. `fixed` replaces what is mapped at `address`. */
static inline csm_word csm_mmap(uintptr_t address, uintptr_t length, int protection, int fixed,
                                int noreserve) {
  int flags = MAP_PRIVATE | MAP_ANONYMOUS | (fixed ? MAP_FIXED : 0) |
              (noreserve ? MAP_NORESERVE : 0);
  void *p = mmap((void *)address, length, protection, flags, -1, 0);
  csm_word r = {(uintptr_t)p, 0};
  if (p == MAP_FAILED) {
    r.value = 0;
    r.error = errno;
  }
  return r;
}

static inline int csm_munmap(uintptr_t address, uintptr_t length) {
  return munmap((void *)address, length) == 0 ? 0 : errno;
}

static inline int csm_mprotect(uintptr_t address, uintptr_t length, int protection) {
  return mprotect((void *)address, length, protection) == 0 ? 0 : errno;
}

static inline int csm_madvise(uintptr_t address, uintptr_t length, int advice) {
  return madvise((void *)address, length, advice) == 0 ? 0 : errno;
}

/* Which physical pages of a range are resident; one byte a physical page, bit 0. */
static inline int csm_mincore(uintptr_t address, size_t length, unsigned char *out) {
  return mincore((void *)address, length, out) == 0 ? 0 : errno;
}

/* ---- The system's sizes */
static inline size_t csm_page_size(void) {
  long n = sysconf(_SC_PAGESIZE);
  return n > 0 ? (size_t)n : 0;
}

/* ---- Futex (private) */
#ifdef SYS_futex
#define CSM_SYS_FUTEX SYS_futex
#else
#define CSM_SYS_FUTEX __NR_futex
#endif

/* Sleeps while `*word == expected`. 0, or EAGAIN (the word differs) or EINTR. */
static inline int csm_futex_wait(const uint32_t *word, uint32_t expected) {
  /* 128: FUTEX_PRIVATE_FLAG, 0: FUTEX_WAIT */
  return syscall(CSM_SYS_FUTEX, word, 128 | 0, expected, NULL, NULL, 0) == 0 ? 0 : errno;
}

static inline void csm_futex_wake(const uint32_t *word, int count) {
  /* 1: FUTEX_WAKE. It cannot fail for a mapped, aligned word. */
  (void)syscall(CSM_SYS_FUTEX, word, 128 | 1, count, NULL, NULL, 0);
}

/* ---- Barriers in other threads */

/* Every running thread of the process passes a full barrier before this returns. 0, or an errno
 * value (ENOSYS) where the kernel cannot. */
static inline int csm_membarrier(void) {
#ifdef SYS_membarrier
  /* 8: MEMBARRIER_CMD_PRIVATE_EXPEDITED, 16: its registration, which EPERM asks for. */
  if (syscall(SYS_membarrier, 8, 0, 0) == 0) return 0;
  if (errno != EPERM) return errno;
  if (syscall(SYS_membarrier, 16, 0, 0) != 0) return errno;
  return syscall(SYS_membarrier, 8, 0, 0) == 0 ? 0 : errno;
#else
  return ENOSYS;
#endif
}

/* ---- malloc, for tests that show it is not used: bytes that it has handed out. */
static inline uintptr_t csm_malloc_bytes(void) {
  struct mallinfo2 info = mallinfo2();
  return (uintptr_t)(info.uordblks + info.hblkhd);
}

/* ---- Files and time */
static inline csm_word csm_open_read(const char *path) {
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  csm_word r = {(uintptr_t)fd, fd < 0 ? errno : 0};
  return r;
}

static inline csm_word csm_read(int fd, void *buffer, size_t length) {
  ssize_t n = read(fd, buffer, length);
  csm_word r = {n < 0 ? 0 : (uintptr_t)n, n < 0 ? errno : 0};
  return r;
}

static inline csm_word csm_write(int fd, const void *buffer, size_t length) {
  ssize_t n = write(fd, buffer, length);
  csm_word r = {n < 0 ? 0 : (uintptr_t)n, n < 0 ? errno : 0};
  return r;
}

static inline void csm_close(int fd) { (void)close(fd); }

/* Monotonic time in nanoseconds. */
static inline uint64_t csm_now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

/* The name of an errno value ("ENOMEM"), or NULL for one that no call here gives. */
static inline const char *csm_errno_name(int value) {
  switch (value) {
  case EPERM: return "EPERM";
  case ENOENT: return "ENOENT";
  case EINTR: return "EINTR";
  case EIO: return "EIO";
  case EBADF: return "EBADF";
  case EAGAIN: return "EAGAIN";
  case ENOMEM: return "ENOMEM";
  case EACCES: return "EACCES";
  case EFAULT: return "EFAULT";
  case EBUSY: return "EBUSY";
  case EEXIST: return "EEXIST";
  case EISDIR: return "EISDIR";
  case EINVAL: return "EINVAL";
  case ENFILE: return "ENFILE";
  case EMFILE: return "EMFILE";
  case ENOSYS: return "ENOSYS";
  default: return NULL;
  }
}

#endif
