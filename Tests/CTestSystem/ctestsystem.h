/* CTestSystem: what the checks need of glibc and of the kernel and the library does not: children, limits,
 * what is resident, what malloc has handed out.
 *
 * Static inlines, as in CSysMem, and for the same reason: macros do not reach Swift. Each call that can fail
 * says so by an errno value.
 */
#ifndef CTESTSYSTEM_H
#define CTESTSYSTEM_H

#include <errno.h>
#include <malloc.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

/* A result, or an errno value other than 0. */
typedef struct {
  uintptr_t value;
  int error;
} ctest_word;

/* ---- Memory */

/* Calls code at an address: a function without arguments. */
static inline int ctest_call(uintptr_t address) { return ((int (*)(void))address)(); }

/* Which physical pages of a range are resident; one byte a physical page, bit 0. */
static inline int ctest_mincore(uintptr_t address, size_t length, unsigned char *out) {
  return mincore((void *)address, length, out) == 0 ? 0 : errno;
}

/* Bytes that malloc has handed out. */
static inline uintptr_t ctest_malloc_bytes(void) {
  struct mallinfo2 info = mallinfo2();
  return (uintptr_t)(info.uordblks + info.hblkhd);
}

/* The most address space (`ulimit -v`) in bytes, for this process; it may be raised again. */
static inline int ctest_limit_address_space(uintptr_t bytes) {
  struct rlimit limit;
  if (getrlimit(RLIMIT_AS, &limit) != 0) return errno;
  limit.rlim_cur = bytes == UINTPTR_MAX ? limit.rlim_max : (rlim_t)bytes;
  return setrlimit(RLIMIT_AS, &limit) == 0 ? 0 : errno;
}

/* The sanitizer that the program is built with. 0 none, 1 thread, 2 address. */
extern void __tsan_init(void) __attribute__((weak));
extern void __asan_init(void) __attribute__((weak));
static inline int ctest_sanitizer(void) { return __tsan_init ? 1 : __asan_init ? 2 : 0; }

/* ---- Children */

/* What a child ran through counts for `make coverage`, too; the profile's own function, where the program is
 * built with one. */
extern int __llvm_profile_write_file(void) __attribute__((weak));
static inline void ctest_write_profile(void) {
  if (__llvm_profile_write_file) (void)__llvm_profile_write_file();
}

/* Ends a child at once, with no handler run. */
static inline void ctest_exit_now(int status) {
  ctest_write_profile();
  _exit(status);
}

static inline void ctest_end_by_trap(int signal) { ctest_exit_now(128 + signal); }

/* The child's number, 0 in the child. */
static inline ctest_word ctest_fork(void) {
  pid_t child = fork();
  ctest_word r = {child < 0 ? 0 : (uintptr_t)child, child < 0 ? errno : 0};
  return r;
}

/* The same, with what the child writes to standard error to be read from `*reader`. Signals of mistakes end it
 * at once, whatever a runtime has set up: a trap by status 128 and its signal. */
static inline ctest_word ctest_fork_heard(int *reader) {
  int ends[2];
  ctest_word r = {0, 0};
  if (pipe(ends) != 0) {
    r.error = errno;
    return r;
  }
  r = ctest_fork();
  if (r.error == 0 && r.value == 0) {
    (void)dup2(ends[1], 2);
    const int faults[] = {SIGSEGV, SIGBUS, SIGFPE};
    for (size_t i = 0; i < sizeof faults / sizeof *faults; i++) (void)signal(faults[i], SIG_DFL);
    (void)signal(SIGILL, ctest_end_by_trap);
    (void)signal(SIGTRAP, ctest_end_by_trap);
    (void)signal(SIGABRT, ctest_end_by_trap);
  }
  (void)close(ends[1]);
  *reader = ends[0];
  if (r.error != 0) (void)close(ends[0]);
  return r;
}

/* Waits for a child. Its exit status, or 256 + the signal that ended it. */
static inline ctest_word ctest_wait(uintptr_t child) {
  int status = 0;
  pid_t got;
  do got = waitpid((pid_t)child, &status, 0);
  while (got < 0 && errno == EINTR);
  ctest_word r = {0, got < 0 ? errno : 0};
  if (got >= 0) r.value = WIFEXITED(status) ? WEXITSTATUS(status) : 256 + WTERMSIG(status);
  return r;
}

#endif
