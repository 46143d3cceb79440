/* What every client's program shares: verdicts, figures of the process, and a program of memory. */
#ifndef CLIENT_H
#define CLIENT_H

#include <execinfo.h>
#include <inttypes.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "recipes.h"

static int passed, failed;

static inline void verdict(int holds, const char *what, const char *file, int line) {
  if (holds) {
    passed++;
  } else {
    failed++;
    printf("FAILED: %s:%d: %s\n", file, line, what);
  }
}
#define HOLDS(claim) verdict((claim) != 0, #claim, __FILE__, __LINE__)

/* A field of /proc/self/status, in MiB. */
static inline double status_mib(const char *field) {
  char line[256];
  double kib = 0;
  FILE *file = fopen("/proc/self/status", "r");
  if (!file) return 0;
  while (fgets(line, sizeof line, file)) {
    if (strncmp(line, field, strlen(field)) == 0) kib = strtod(line + strlen(field) + 1, NULL);
  }
  fclose(file);
  return kib / 1024;
}

static inline double processor_seconds(void) {
  struct rusage usage;
  getrusage(RUSAGE_SELF, &usage);
  return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
         (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

static inline double elapsed_seconds(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* Has a child touch much memory, and end: in a virtual machine the host has found it then, so that
 * whoever comes first, or takes huge pages, does not pay for that. */
static inline void warm_up(void) {
  const size_t size = (size_t)1 << 30;
  const pid_t child = fork();
  if (child == 0) {
    char *memory = (char *)mmap(NULL, size, PROT_READ | PROT_WRITE,
                                MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) _exit(1);
    (void)madvise(memory, size, MADV_HUGEPAGE);
    for (size_t at = 0; at < size; at += 4096) ((volatile char *)memory)[at] = 1;
    _exit(0);
  }
  if (child > 0) waitpid(child, NULL, 0);
}

/* Tells what a program took: processor time, the time since a moment, its peak; and what stays of
 * it now. */
static inline void tell_figures(double seconds, double elapsed, uint64_t operations) {
  printf("figures %.3f %.3f %.1f %.1f %" PRIu64 "\n", seconds,
         elapsed_seconds() - elapsed, status_mib("VmHWM"), status_mib("VmRSS"), operations);
}

static inline int tell_verdicts(void) {
  printf("%d passed, %d failed\n", passed, failed);
  return failed != 0;
}

/* A child that hangs says where. */
static inline void tell_where(int its_signal) {
  void *calls[64];
  (void)its_signal;
  backtrace_symbols_fd(calls, backtrace(calls, 64), STDERR_FILENO);
  _exit(2);
}

/* Whether a child of fork does something as it should: it ends with 0 then. */
static inline int child_does(int (*body)(void)) {
  void *here;
  fflush(stdout);
  (void)backtrace(&here, 1); /* which loads a library, the first time */
  const pid_t child = fork();
  if (child == 0) {
    (void)signal(SIGALRM, tell_where);
    alarm(60);
    _exit(body() ? 0 : 1);
  }
  int status = -1;
  if (child > 0 && waitpid(child, &status, 0) == child && status == 0) return 1;
  printf("a child of fork (%d) ended with status %#x\n", (int)child, (unsigned)status);
  return 0;
}

/* What the library says of an arena. */
static inline pa_statistics arena_figures(pa_arena *arena) {
  pa_statistics now = {.size = sizeof now};
  HOLDS(pa_get_statistics(arena, &now) == PA_OK);
  return now;
}

/* Bytes of the arena's pages that are in memory. */
static inline uint64_t arena_resident(pa_arena *arena) {
  uint64_t bytes = UINT64_MAX;
  HOLDS(pa_measure_resident(arena, &bytes) == PA_OK);
  return bytes;
}

/* Runs a body in four threads, with their numbers. Meanwhile three children do something, where it
 * is given. */
enum { THREADS = 4 };
static inline void run_threads(void *(*body)(void *), int (*of_child)(void)) {
  pthread_t threads[THREADS];
  for (uintptr_t i = 0; i < THREADS; i++) {
    HOLDS(pthread_create(&threads[i], NULL, body, (void *)i) == 0);
  }
  for (int i = 0; of_child && i < 3; i++) HOLDS(child_does(of_child));
  for (int i = 0; i < THREADS; i++) pthread_join(threads[i], NULL);
}

/* The end of a program that has freed all that it had: its figures, and an arena, where there is
 * one, that holds nothing. */
static inline int tell_end(pa_arena *arena, double seconds, double elapsed, uint64_t operations) {
  if (arena) HOLDS(pa_release_all(arena, NULL) == PA_OK);
  tell_figures(seconds, elapsed, operations);
  if (arena) {
    HOLDS(arena_figures(arena).in_use_bytes == 0);
    HOLDS(arena_resident(arena) == 0);
    pa_destroy(arena);
  }
  return tell_verdicts();
}

/* What a program's first argument says about the arena; false where there is to be none. */
static inline bool read_way(const char *way, pa_options *options) {
  *options = (pa_options)PA_OPTIONS_INIT;
  options->huge_pages =
      strcmp(way, "avoid") == 0 ? PA_HUGE_PAGES_AVOID : PA_HUGE_PAGES_AUTOMATIC;
  return strcmp(way, "default") != 0;
}

#endif
