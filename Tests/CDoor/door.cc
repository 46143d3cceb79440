// The header, and a program in C++ that is linked with the library.
#include "pagealloc.h"

#include <cstdio>
#include <cstring>

int main() {
  pa_options options = PA_OPTIONS_INIT;
  options.flags = PA_FORK_MANUAL | PA_WATCH_PRESSURE;
  pa_arena *arena = nullptr;
  pa_status status = pa_create(&options, &arena);
  void *run = status == PA_OK ? pa_alloc(arena, 3, &status) : nullptr;
  if (run != nullptr) std::memset(run, 1, 3 * PA_PAGE_SIZE);
  const bool holds = run != nullptr && pa_free(arena, run, 3) == PA_OK;
  pa_destroy(arena);
  if (!holds) std::printf("FAILED: door.cc: %s\n", pa_strerror(status));
  std::printf("%d passed, %d failed\n", holds, !holds);
  return holds ? 0 : 1;
}
