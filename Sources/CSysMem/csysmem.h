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
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

/* ---- Constants that glibc 2.36 lacks. The kernel is asked at run time whether it knows them. */
#define CSM_MADV_DONTDUMP 16
#define CSM_MADV_DODUMP 17
#define CSM_MADV_WIPEONFORK 18
#define CSM_MADV_POPULATE_READ 22
#define CSM_MADV_POPULATE_WRITE 23
#define CSM_MADV_DONTNEED_LOCKED 24
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

/* One call for `count` ranges (struct iovec) of this process. The value is the number of bytes
 * dealt with, from the first range on. Numbers 434 and 440 are the same on every architecture;
 * -10001 stands for the calling process itself since Linux 6.14. */
static inline csm_word csm_process_madvise(const void *ranges, size_t count, int advice) {
  long n = syscall(440 /* process_madvise */, -10001, ranges, count, advice, 0);
  int error = n < 0 ? errno : 0;
  if (error == EBADF) {
    /* No descriptor is kept: it would mean the parent after a fork, and anything after a close. */
    int self = (int)syscall(434 /* pidfd_open */, getpid(), 0);
    if (self < 0) {
      error = errno;
    } else {
      n = syscall(440, self, ranges, count, advice, 0);
      error = n < 0 ? errno : 0;
      (void)close(self);
    }
  }
  csm_word r = {error ? 0 : (uintptr_t)n, error};
  return r;
}

/* Moves what is mapped at `from` to `to`, replacing what is mapped there. The source stays mapped
 * and holds nothing afterwards. Not by glibc's mremap, which wants _GNU_SOURCE.
 * 1: MREMAP_MAYMOVE, 2: MREMAP_FIXED, 4: MREMAP_DONTUNMAP. */
static inline int csm_mremap_keep(uintptr_t from, uintptr_t length, uintptr_t to) {
  return syscall(SYS_mremap, from, length, length, 1 | 2 | 4, to) == -1 ? errno : 0;
}

static inline int csm_mlock(uintptr_t address, uintptr_t length) {
  return mlock((void *)address, length) == 0 ? 0 : errno;
}

static inline int csm_munlock(uintptr_t address, uintptr_t length) {
  return munlock((void *)address, length) == 0 ? 0 : errno;
}

/* No more changes of what is mapped, for good. 462: mseal, the same number on every machine. */
static inline int csm_mseal(uintptr_t address, uintptr_t length) {
  return syscall(462, address, length, 0ul) == 0 ? 0 : errno;
}

/* What a mapping is called in /proc/PID/maps. 0, or an errno value (EINVAL) where the kernel keeps
 * no names. 0x53564d41, 0: PR_SET_VMA, PR_SET_VMA_ANON_NAME. */
static inline int csm_name(uintptr_t address, uintptr_t length, const void *name) {
  return syscall(SYS_prctl, 0x53564d41ul, 0ul, address, length, name) == 0 ? 0 : errno;
}

/* Whether a byte can be read, without reading it here: the kernel copies it into a pipe, or finds
 * that it cannot. 1 yes, 0 no, negative for an errno value of the pipe's. */
static inline int csm_is_readable(uintptr_t address) {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) return -errno;
  ssize_t n = write(ends[1], (const void *)address, 1);
  int result = n == 1 ? 1 : errno == EFAULT ? 0 : -errno;
  (void)close(ends[0]);
  (void)close(ends[1]);
  return result;
}

/* Makes the instructions just written to a range what a processor fetches from it. */
static inline void csm_clear_cache(uintptr_t address, uintptr_t length) {
  __builtin___clear_cache((char *)address, (char *)address + length);
}

/* Writes to a byte and leaves what it holds, also while other threads write to it. The compiler
 * must not know that it is 0 that is added: it may drop what changes nothing. */
static inline void csm_touch(void *byte) {
  unsigned zero = 0;
  __asm__ volatile("" : "+r"(zero));
  (void)__atomic_fetch_add((unsigned char *)byte, (unsigned char)zero, __ATOMIC_RELAXED);
}

/* ---- The system's sizes */
static inline size_t csm_page_size(void) {
  long n = sysconf(_SC_PAGESIZE);
  return n > 0 ? (size_t)n : 0;
}

/* The most address space that the process may have, in bytes; UINT64_MAX for no limit. */
static inline uint64_t csm_address_space_limit(void) {
  struct rlimit limit;
  if (getrlimit(RLIMIT_AS, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY) return UINT64_MAX;
  return limit.rlim_cur;
}

/* Processors that are there; 1 where the system does not tell. */
static inline long csm_processor_count(void) {
  long n = sysconf(_SC_NPROCESSORS_CONF);
  return n > 0 ? n : 1;
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

/* The same for at most so many nanoseconds; then ETIMEDOUT. */
static inline int csm_futex_wait_for(const uint32_t *word, uint32_t expected,
                                     uint64_t nanoseconds) {
  struct timespec t;
  t.tv_sec = (time_t)(nanoseconds / 1000000000u);
  t.tv_nsec = (long)(nanoseconds % 1000000000u);
  return syscall(CSM_SYS_FUTEX, word, 128 | 0, expected, &t, NULL, 0) == 0 ? 0 : errno;
}

static inline void csm_futex_wake(const uint32_t *word, int count) {
  /* 1: FUTEX_WAKE. It cannot fail for an aligned word; nothing need be mapped there any more. */
  (void)syscall(CSM_SYS_FUTEX, word, 128 | 1, count, NULL, NULL, 0);
}

/* Tells the processor that a loop waits for another one: some tens of nanoseconds. */
static inline void csm_pause(void) {
#if defined(__i386__) || defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__arm__) || defined(__aarch64__)
  __asm__ volatile("yield");
#endif
}

/* Lets another thread run, if one waits for the processor. */
static inline void csm_yield(void) { (void)sched_yield(); }

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

/* ---- Threads */

/* A thread that gets no signals, with a stack of `stack` bytes or the least there can be. */
static inline int csm_thread_start(pthread_t *thread, void *(*body)(void *), void *argument,
                                   size_t stack) {
  pthread_attr_t attributes;
  sigset_t all, old;
  int error = pthread_attr_init(&attributes);
  if (error) return error;
  long least = sysconf(_SC_THREAD_STACK_MIN);
  if (least > 0 && stack < (size_t)least) stack = (size_t)least;
  (void)pthread_attr_setstacksize(&attributes, stack);
  sigfillset(&all);
  (void)pthread_sigmask(SIG_SETMASK, &all, &old);
  error = pthread_create(thread, &attributes, body, argument);
  (void)pthread_sigmask(SIG_SETMASK, &old, NULL);
  (void)pthread_attr_destroy(&attributes);
  return error;
}

static inline int csm_thread_join(pthread_t thread) { return pthread_join(thread, NULL); }

/* What tells the calling thread from others of the process; the same in a child of fork. */
static inline uintptr_t csm_thread_self(void) { return (uintptr_t)pthread_self(); }

/* The kernel's numbers of the calling thread and of the process. */
static inline int32_t csm_thread_number(void) { return (int32_t)syscall(SYS_gettid); }
static inline int32_t csm_process(void) { return (int32_t)getpid(); }

/* Whether there is still a thread of a number in this process. A filter's refusal means yes. */
static inline int csm_thread_exists(int32_t number) {
  return syscall(SYS_tgkill, getpid(), number, 0) == 0 || errno != ESRCH;
}

/* ---- Files and time */
static inline csm_word csm_open_read(const char *path) {
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  csm_word r = {(uintptr_t)fd, fd < 0 ? errno : 0};
  return r;
}

/* A file that is made, or emptied. */
static inline csm_word csm_open_new(const char *path) {
  int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
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

/* A file that is made, or emptied, to be read and written. */
static inline csm_word csm_open_new_mapped(const char *path) {
  int fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
  csm_word r = {(uintptr_t)fd, fd < 0 ? errno : 0};
  return r;
}

/* Has the file system keep room for so many bytes: a write to them finds no full disk. */
static inline int csm_reserve_file(int fd, uintptr_t length) {
  return posix_fallocate(fd, 0, (off_t)length);
}

static inline int csm_truncate(int fd, uintptr_t length) {
  return ftruncate(fd, (off_t)length) == 0 ? 0 : errno;
}

/* The first bytes of a file; what is written there is in the file, however the process ends. */
static inline csm_word csm_map_file(int fd, uintptr_t length) {
  void *p = mmap(NULL, length, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  csm_word r = {(uintptr_t)p, 0};
  if (p == MAP_FAILED) {
    r.value = 0;
    r.error = errno;
  }
  return r;
}

/* ---- What is resident */

/* A stretch of pages, as PAGEMAP_SCAN (Linux 6.7) tells of it. */
typedef struct {
  uint64_t start, end, categories;
} csm_page_region;

/* The stretches of [start, end) that are in memory, those of the shared zero page aside: up to
 * `count` of them. The value is their number; *next is where to go on. Debian 12's headers do not
 * have the call. */
static inline csm_word csm_pagemap_scan(int pagemap, uint64_t start, uint64_t end,
                                        csm_page_region *regions, size_t count, uint64_t *next) {
  enum { present = 1 << 3, zero_page = 1 << 5 };
  struct {
    uint64_t size, flags, start, end, walk_end, regions, count, max_pages;
    uint64_t inverted, all_of, any_of, returned;
  } scan = {.size = sizeof scan,
            .start = start,
            .end = end,
            .regions = (uintptr_t)regions,
            .count = count,
            .inverted = zero_page,
            .all_of = present | zero_page,
            .returned = present};
  int n = ioctl(pagemap, _IOWR('f', 16, scan), &scan);
  csm_word r = {n < 0 ? 0 : (uintptr_t)n, n < 0 ? errno : 0};
  *next = scan.walk_end;
  return r;
}

/* One byte a page of the kernel's: its lowest bit says whether the page is in memory. */
static inline int csm_mincore(uintptr_t address, size_t length, unsigned char *flags) {
  return mincore((void *)address, length, flags) == 0 ? 0 : errno;
}

/* ---- Sleeping on files */

/* What a file has to tell, as poll says it. */
static const int csm_pollpri = POLLPRI, csm_pollerr = POLLERR | POLLNVAL;

/* A file that has something to tell (POLLPRI) each time that some task of the system waited for
 * memory for `stall` microseconds within `window` of them. */
static inline csm_word csm_watch_stalls(unsigned stall, unsigned window) {
  int fd = open("/proc/pressure/memory", O_RDWR | O_NONBLOCK | O_CLOEXEC);
  csm_word r = {(uintptr_t)fd, fd < 0 ? errno : 0};
  if (fd < 0) return r;
  char text[48];
  int length = snprintf(text, sizeof text, "some %u %u", stall, window);
  /* The kernel wants the zero at the end, too. */
  if (write(fd, text, (size_t)length + 1) < 0) {
    r.error = errno;
    (void)close(fd);
  }
  return r;
}

/* A bell: two sockets, which no other file can be mistaken for. To write into a pipe that somebody
 * has closed at the other end would be a signal, which ends the process as a rule. */
typedef struct {
  int ear, cord;
  int error;
} csm_bell;

static inline csm_bell csm_bell_open(void) {
  int ends[2] = {-1, -1};
  int kind = SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC;
  int error = socketpair(AF_UNIX, kind, 0, ends) ? errno : 0;
  csm_bell r = {ends[0], ends[1], error};
  return r;
}

/* Makes a bell's ear readable. It can only fail by being so already, or where one of the two is
 * closed: then nobody hears it. Nothing is written into a file that is no socket, nor read below. */
static inline void csm_ring(int cord) {
  ssize_t n = send(cord, "", 1, MSG_NOSIGNAL | MSG_DONTWAIT);
  (void)n;
}

/* Makes it no longer readable; whether it was. */
static inline int csm_hush(int ear) {
  char rings[64];
  int any = 0;
  while (recv(ear, rings, sizeof rings, MSG_DONTWAIT) > 0) any = 1;
  return any;
}

/* What tells a file from all others, if it is one that has an inode of its own; 0 for none. */
typedef struct {
  uintptr_t device, node;
} csm_file_identity;

static inline csm_file_identity csm_identity(int fd) {
  struct stat s;
  csm_file_identity r = {0, 0};
  if (fstat(fd, &s) == 0) r.device = (uintptr_t)s.st_dev + 1, r.node = (uintptr_t)s.st_ino;
  return r;
}

/* Sleeps until `file` has one of `events` to tell, `bell` can be read, or so many nanoseconds are
 * over (rounded up to milliseconds, with no end from 2^31 of those on). What `file` tells. */
static inline int csm_poll_either(int file, int events, int bell, uint64_t nanoseconds) {
  uint64_t milliseconds = nanoseconds / 1000000u + (nanoseconds % 1000000u != 0);
  struct pollfd files[2] = {{file, (short)events, 0}, {bell, POLLIN, 0}};
  int n = poll(files, 2, milliseconds > 0x7fffffff ? -1 : (int)milliseconds);
  return n <= 0 ? 0 : files[0].revents;
}

/* Monotonic time in nanoseconds. */
static inline uint64_t csm_now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

/* The processor time of the calling thread in nanoseconds. */
static inline uint64_t csm_thread_time(void) {
  struct timespec t;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
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
  case ENAMETOOLONG: return "ENAMETOOLONG";
  case ENODATA: return "ENODATA";
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
