#include <stddef.h>

/* In place of the unwinder of libgcc_s, which a program in C need not have: no frames, so that the
 * checked mode walks the stack by frame pointers. Embedded Swift leaves no tables to unwind by. */

#pragma GCC visibility push(hidden)
int pai_unwind_backtrace(int (*step)(void *context, void *argument), void *argument);
size_t pai_unwind_address(void *context);
#pragma GCC visibility pop

int pai_unwind_backtrace(int (*step)(void *context, void *argument), void *argument) {
  (void)step;
  (void)argument;
  return 5; /* the end of the stack */
}

size_t pai_unwind_address(void *context) {
  (void)context;
  return 0;
}
