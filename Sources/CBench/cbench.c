#define _GNU_SOURCE
#include "cbench.h"

#include <dlfcn.h>
#include <errno.h>
#include <link.h>
#include <malloc.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

int cbench_fork(void) { return (int)fork(); }

int cbench_wait(int process) {
  int status = 0;
  while (waitpid(process, &status, 0) < 0) {
    if (errno != EINTR) return 127;
  }
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

void cbench_warm(size_t bytes) {
  int child = cbench_fork();
  if (child > 0) cbench_wait(child);
  if (child != 0) return;
  const size_t page = 4096, huge = (size_t)2 << 20;
  char *memory = mmap(NULL, bytes + huge, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (memory == MAP_FAILED) _exit(1);
  memory += -(uintptr_t)memory & (huge - 1);
  madvise(memory, bytes, MADV_HUGEPAGE);
  for (size_t place = 0; place < bytes; place += page) memory[place] = 1;
  _exit(0);
}

void cbench_alarm(unsigned seconds) { alarm(seconds); }

long cbench_minor_faults(void) {
  struct rusage usage;
  return getrusage(RUSAGE_SELF, &usage) == 0 ? usage.ru_minflt : -1;
}

/* Each allocator's own call for giving memory back; only one of them is there. */
static int (*jemalloc_control)(const char *, void *, size_t *, void *, size_t);
static void (*mimalloc_collect)(bool);

static void trim_jemalloc(void) { jemalloc_control("arena.4096.purge", NULL, NULL, NULL, 0); }
static void trim_mimalloc(void) { mimalloc_collect(true); }
void cbench_trim_libc(void) { (void)malloc_trim(0); }

/* What a library has itself: a search by its handle goes on in what it needs. */
static void *symbol(void *library, const char *name) {
  struct link_map *map;
  Dl_info info;
  void *found = dlsym(library, name);
  if (found == NULL || dlinfo(library, RTLD_DI_LINKMAP, &map) != 0) return NULL;
  return dladdr(found, &info) != 0 && (uintptr_t)info.dli_fbase == map->l_addr ? found : NULL;
}

int cbench_load(const char *path, cbench_allocator *out, char *reason, size_t reason_size) {
  void *library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
  if (library == NULL) {
    snprintf(reason, reason_size, "%s", dlerror());
    return -1;
  }
  out->align = (int (*)(void **, size_t, size_t))symbol(library, "posix_memalign");
  out->clear = (void *(*)(size_t, size_t))symbol(library, "calloc");
  out->release = (void (*)(void *))symbol(library, "free");
  out->trim = (void (*)(void))symbol(library, "MallocExtension_ReleaseFreeMemory");
  void *control = symbol(library, "mallctl");
  if (control != NULL) {
    jemalloc_control = (int (*)(const char *, void *, size_t *, void *, size_t))control;
    out->trim = trim_jemalloc;
  }
  void *collect = symbol(library, "mi_collect");
  if (collect != NULL) {
    mimalloc_collect = (void (*)(bool))collect;
    out->trim = trim_mimalloc;
  }
  if (out->align == NULL || out->clear == NULL || out->release == NULL) {
    snprintf(reason, reason_size, "posix_memalign, calloc or free is missing in it");
    return -1;
  }
  return 0;
}

bool cbench_output_fails(void) {
  if (fflush(stdout) == 0 && !ferror(stdout)) return false;
  struct pollfd output = {STDOUT_FILENO, POLLOUT, 0};
  return poll(&output, 1, 0) != 1 || !(output.revents & POLLERR);
}
