#define _DEFAULT_SOURCE /* MAP_ANONYMOUS */
#include "handles.h"
#include "objects.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <sys/mman.h>

/* Blocks of a power of two, 32 bytes to 2 KiB with their heads, are cut from chunks of 16 KiB that
 * stay for good; freed ones wait in a list a size. Anything else has a mapping of its own. Objects
 * come and go with arenas, handles and regions, so that nothing here need be fast. */

/* What lies right before an object. */
typedef struct {
  uint32_t magic;
  uint32_t class;    /* the logarithm of the block's size; 0 where it has a mapping of its own */
  uintptr_t mapping; /* where that starts; the first word there is its size */
#if UINTPTR_MAX == UINT32_MAX
  uintptr_t unused;
#endif
} head;
_Static_assert(sizeof(head) == 16, "objects are aligned as the heads before them");

enum { MAGIC = 0x50416f62, SMALLEST = 5, LARGEST = 11, CHUNK = 16 << 10, PAGE = 4096 };

typedef struct block {
  head head;
  struct block *next;
} block;

static struct {
  unsigned lock;
  block *free[LARGEST + 1];
  char *next, *end; /* what is left of the newest chunk */
  size_t rooms;     /* calls that have room and are not done */
} objects;

/* No handler of a signal comes in between, which would wait for its own thread. */
static void lock(sigset_t *before) {
  sigset_t all;
  sigfillset(&all);
  (void)pthread_sigmask(SIG_BLOCK, &all, before);
  unsigned rounds = 0;
  while (__atomic_exchange_n(&objects.lock, 1, __ATOMIC_ACQUIRE)) pai_wait(&rounds);
}
static void unlock(const sigset_t *before) {
  __atomic_store_n(&objects.lock, 0, __ATOMIC_RELEASE);
  (void)pthread_sigmask(SIG_SETMASK, before, NULL);
}

/* Where another thread was in the middle of a list just then, the child begins with new ones. */
static void renew(void) {
  objects.rooms = 0;
  if (objects.lock == 0) return;
  for (int class = 0; class <= LARGEST; class++) objects.free[class] = NULL;
  objects.next = objects.end = NULL;
  objects.lock = 0;
}
__attribute__((constructor(102))) static void watch_forks(void) {
  (void)pthread_atfork(NULL, NULL, renew);
}

static char *map(size_t size) {
  void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  return memory == MAP_FAILED ? NULL : (char *)memory;
}

/* Sees to it that so much is left of the newest chunk, where the kernel has memory; else all is as
 * before. */
static int make_chunk(size_t size) {
  if ((size_t)(objects.end - objects.next) >= size) return 1;
  const size_t length = size > CHUNK ? size : CHUNK;
  char *chunk = map(length);
  if (!chunk) return 0;
  objects.next = chunk;
  objects.end = chunk + length;
  return 1;
}

int pai_make_room(void) {
  sigset_t before;
  lock(&before);
  const int is_made = make_chunk((objects.rooms + 1) * PAI_ROOM);
  if (is_made) objects.rooms++;
  unlock(&before);
  return is_made ? 0 : ENOMEM;
}

void pai_end_room(void) {
  sigset_t before;
  lock(&before);
  if (objects.rooms > 0) objects.rooms--;
  unlock(&before);
}

static void *take(unsigned class) {
  const size_t size = (size_t)1 << class;
  sigset_t before;
  lock(&before);
  block *taken = objects.free[class];
  if (taken) {
    objects.free[class] = taken->next;
  } else {
    if (make_chunk(size)) {
      taken = (block *)objects.next;
      objects.next += size;
    }
  }
  unlock(&before);
  if (!taken) return NULL;
  taken->head = (head){.magic = MAGIC, .class = class};
  return &taken->head + 1;
}

/* | size | ... | head | object ... | */
static void *take_mapping(size_t size, size_t alignment) {
  if (size > SIZE_MAX / 4 || alignment > SIZE_MAX / 4) return NULL;
  const size_t before = 2 * sizeof(head) + alignment;
  const size_t total = (before + size + PAGE - 1) & ~(size_t)(PAGE - 1);
  char *memory = map(total);
  if (!memory) return NULL;
  *(size_t *)(void *)memory = total;
  char *object = (char *)(((uintptr_t)memory + before) & ~(uintptr_t)(alignment - 1));
  *((head *)(void *)object - 1) = (head){.magic = MAGIC, .mapping = (uintptr_t)memory};
  return object;
}

int pai_posix_memalign(void **object, size_t alignment, size_t size) {
  unsigned class = SMALLEST;
  while (class <= LARGEST && ((size_t)1 << class) - sizeof(head) < size) class++;
  *object = class <= LARGEST && alignment <= sizeof(head) ? take(class)
                                                          : take_mapping(size, alignment);
  return *object ? 0 : ENOMEM;
}

void *pai_malloc(size_t size) {
  void *object;
  return pai_posix_memalign(&object, sizeof(head), size) == 0 ? object : NULL;
}

void pai_free(void *object) {
  if (!object) return;
  head *its = (head *)object - 1;
  if (its->magic != MAGIC) return;
  its->magic = 0;
  if (its->class == 0) {
    void *mapping = (void *)its->mapping;
    (void)munmap(mapping, *(size_t *)mapping);
    return;
  }
  block *freed = (block *)its;
  sigset_t before;
  lock(&before);
  freed->next = objects.free[its->class];
  objects.free[its->class] = freed;
  unlock(&before);
}
