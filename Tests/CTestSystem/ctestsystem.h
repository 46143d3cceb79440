/* CTestSystem: what the checks need of glibc and of the kernel and the library does not: children,
 * limits, what is resident, what malloc has handed out.
 *
 * Static inlines, as in CSysMem, and for the same reason: macros do not reach Swift. Each call that
 * can fail says so by an errno value.
 */
#ifndef CTESTSYSTEM_H
#define CTESTSYSTEM_H

#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <pthread.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
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

/* ---- Signals */

/* Calls `handler` from now on where the user's second signal comes. */
static inline int ctest_handle_signal(void (*handler)(int)) {
  struct sigaction action;
  memset(&action, 0, sizeof action);
  action.sa_handler = handler;
  action.sa_flags = SA_RESTART;
  return sigaction(SIGUSR2, &action, NULL) == 0 ? 0 : errno;
}

/* Lets that signal reach the calling thread, whose maker may have had it blocked. */
static inline int ctest_unblock_signal(void) {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGUSR2);
  return pthread_sigmask(SIG_UNBLOCK, &set, NULL);
}

/* Sends a thread that signal. */
static inline int ctest_send_signal(pthread_t thread) { return pthread_kill(thread, SIGUSR2); }

/* ---- Children */

/* What a child ran through counts for `make coverage`, too; the profile's own function, where the
 * program is built with one. */
extern int __llvm_profile_write_file(void) __attribute__((weak));
static inline void ctest_write_profile(void) {
  if (__llvm_profile_write_file) (void)__llvm_profile_write_file();
}

/* A file that nobody else sees, and that goes when it is closed; negative where there is none. */
static inline int ctest_memory_file(void) {
  return (int)syscall(SYS_memfd_create, "checks", 1u /* MFD_CLOEXEC */);
}

/* Takes a file's name away. */
static inline int ctest_unlink(const char *path) { return unlink(path); }

/* What is printed goes out line by line, also into a pipe: a trap loses none of it. */
static inline void ctest_print_lines(void) { setvbuf(stdout, NULL, _IOLBF, 0); }

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

/* The same, with what the child writes to standard error to be read from `*reader`. Signals of
 * mistakes end it at once, whatever a runtime has set up: a trap by status 128 and its signal. */
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

/* A pipe, and how many bytes are in it. */
typedef struct {
  int reader, writer;
  size_t filled;
} ctest_pipe;

/* A pipe that is full: who writes to it by its path waits. No reader where there is none. */
static inline ctest_pipe ctest_full_pipe(void) {
  ctest_pipe p = {-1, -1, 0};
  int ends[2];
  if (pipe(ends) != 0) return p;
  p.reader = ends[0];
  p.writer = ends[1];
  const int flags = fcntl(ends[1], F_GETFL);
  (void)fcntl(ends[1], F_SETFL, flags | O_NONBLOCK);
  while (write(ends[1], "", 1) == 1) p.filled++;
  (void)fcntl(ends[1], F_SETFL, flags);
  return p;
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

/* ---- Stacks */

typedef struct {
  void (*body)(void *);
  void *context;
  uintptr_t start; /* where the thread's own function stands on the stack */
} ctest_stack_user;

static inline void *ctest_on_stack(void *pointer) {
  ctest_stack_user *user = (ctest_stack_user *)pointer;
  user->start = (uintptr_t)__builtin_frame_address(0);
  user->body(user->context);
  return NULL;
}

/* Runs `body` on a thread with a stack of its own, and waits for the thread's end. The bytes of the
 * stack that were written to, the end of the thread included; what glibc keeps there before `body`
 * is aside. */
static inline ctest_word ctest_stack_depth(void (*body)(void *), void *context) {
  const size_t size = 1 << 20;
  const unsigned char paint = 0xa5;
  ctest_word r = {0, 0};
  unsigned char *stack = (unsigned char *)mmap(NULL, size, PROT_READ | PROT_WRITE,
                                               MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (stack == (unsigned char *)MAP_FAILED) {
    r.error = errno;
    return r;
  }
  (void)memset(stack, paint, size);
  ctest_stack_user user = {body, context, 0};
  pthread_attr_t attributes;
  pthread_t thread;
  (void)pthread_attr_init(&attributes);
  r.error = pthread_attr_setstack(&attributes, stack, size);
  if (r.error == 0) r.error = pthread_create(&thread, &attributes, ctest_on_stack, &user);
  (void)pthread_attr_destroy(&attributes);
  if (r.error == 0) {
    (void)pthread_join(thread, NULL);
    size_t lowest = 0;
    while (lowest < size && stack[lowest] == paint) lowest++;
    r.value = user.start - (uintptr_t)(stack + lowest);
  }
  (void)munmap(stack, size);
  return r;
}

/* Of CDiagnosis. */
extern int cdg_module_count, cdg_noting;

/* As if the process had begun to note which files its code comes from, and knew of none yet. How
 * many it knew of. */
static inline int ctest_begin_noting(void) {
  const int known = cdg_module_count;
  cdg_module_count = 0;
  cdg_noting = (int)getpid();
  return known;
}

static inline void ctest_end_noting(int known) {
  cdg_noting = 0;
  cdg_module_count = known;
}

#endif
