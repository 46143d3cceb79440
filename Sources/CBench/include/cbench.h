/* CBench: what the benchmarks need of the system and Swift cannot call. */
#ifndef CBENCH_H
#define CBENCH_H

#include <stdbool.h>
#include <stddef.h>

/* A child process that has this one's memory. 0 in the child, its id in the parent, -1 refused. */
int cbench_fork(void);

/* Waits for a child. Its exit status, or 128 and the signal that killed it. */
int cbench_wait(int process);

/* Writes to so much memory in a child process, which ends: it is free then, and the machine has
 * it. */
void cbench_warm(size_t bytes);

/* Ends a child that does not end by itself. */
void cbench_alarm(unsigned seconds);

/* Page faults of this process so far that needed no disk. */
long cbench_minor_faults(void);

/* The calls of an allocator. Those it lacks are NULL. */
typedef struct {
  int (*align)(void **, size_t, size_t);
  void *(*clear)(size_t, size_t);
  void (*release)(void *);
  /* Gives idle memory back to the kernel. */
  void (*trim)(void);
} cbench_allocator;

/* Loads a shared library and finds its calls: 0, or -1 with a reason in `reason`. */
int cbench_load(const char *path, cbench_allocator *out, char *reason, size_t reason_size);

/* Gives idle memory of glibc back. */
void cbench_trim_libc(void);

/* Writes what was printed and still waits; whether that or anything before could not be written,
 * though there is still somebody to read it. */
bool cbench_output_fails(void);

#endif
