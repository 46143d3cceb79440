// malloc and the like, which count the calls that a program forbids itself, and then do as ever.
// A new thread allocates by ways of glibc's own, which do not come by here.
#define _GNU_SOURCE
#include "refusing.h"
#include <dlfcn.h>
#include <errno.h>
#include <malloc.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdlib.h>

extern void *__libc_malloc(size_t);
extern void *__libc_calloc(size_t, size_t);
extern void *__libc_realloc(void *, size_t);
extern void *__libc_memalign(size_t, size_t);
extern void *__libc_valloc(size_t);
extern void *__libc_pvalloc(size_t);

static atomic_int refused;
static atomic_long calls, threads;

static void look(void) {
  if (atomic_load(&refused)) atomic_fetch_add(&calls, 1);
}

void *malloc(size_t size) { look(); return __libc_malloc(size); }
void *calloc(size_t count, size_t size) { look(); return __libc_calloc(count, size); }
// reallocarray of glibc comes by here.
void *realloc(void *memory, size_t size) { look(); return __libc_realloc(memory, size); }
void *valloc(size_t size) { look(); return __libc_valloc(size); }
void *pvalloc(size_t size) { look(); return __libc_pvalloc(size); }
void *memalign(size_t to, size_t size) { look(); return __libc_memalign(to, size); }
void *aligned_alloc(size_t to, size_t size) { look(); return __libc_memalign(to, size); }
int posix_memalign(void **memory, size_t to, size_t size) {
  look();
  *memory = __libc_memalign(to, size);
  return *memory ? 0 : ENOMEM;
}

int pthread_create(
    pthread_t *thread, const pthread_attr_t *attributes, void *(*body)(void *), void *argument) {
  static int (*next)(pthread_t *, const pthread_attr_t *, void *(*)(void *), void *);
  if (!next) *(void **)&next = dlsym(RTLD_NEXT, "pthread_create");
  atomic_fetch_add(&threads, 1);
  return next(thread, attributes, body, argument);
}

void refuse_malloc(int is_refused) { atomic_store(&refused, is_refused); }
long refused_calls(void) { return atomic_load(&calls); }

// That the memory can be seen keeps the compiler from leaving out both calls.
static void *volatile seen;
#define TRY(allocation) \
  do { \
    long before = refused_calls(); \
    seen = (allocation); \
    free(seen); \
    untold += refused_calls() != before + 1; \
  } while (0)

int untold_ways(void) {
  int untold = 0;
  void *aligned;
  refuse_malloc(1);
  TRY(malloc(8));
  TRY(calloc(1, 8));
  TRY(realloc(NULL, 8));
  TRY(reallocarray(NULL, 1, 8));
  TRY(memalign(64, 8));
  TRY(aligned_alloc(64, 64));
  TRY(posix_memalign(&aligned, 64, 8) == 0 ? aligned : NULL);
  TRY(valloc(8));
  TRY(pvalloc(8));
  refuse_malloc(0);
  return untold;
}

long started_threads(void) { return atomic_load(&threads); }
