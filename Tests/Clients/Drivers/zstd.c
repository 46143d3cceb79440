/* Zstandard, as it comes or on our pages:  zstd default|pages|avoid [figures]
 *
 * Four threads, each of which compresses and reads back messages, with new contexts for each, as a
 * program does that serves one request after another; some by a context with threads of its own. */
#include <zstd.h>

#include "client.h"

enum { LONGEST = 1 << 20 };

static pa_arena *pages;
static int rounds;
static _Atomic uint64_t operations;

/* Text that repeats itself now and then. */
static void fill(unsigned char *text, size_t size, uint64_t seed) {
  for (size_t i = 0; i < size; i++) {
    if (i % 16 == 0) seed = seed * 6364136223846793005u + 1442695040888963407u;
    const bool repeats = i > 4096 && seed >> 61 != 0;
    text[i] = repeats ? text[i - 4000] : (unsigned char)('a' + (seed >> 33) % 26);
  }
}

/* Whether a message is what it was, after both. */
static int passes(const unsigned char *text, size_t size, unsigned char *small, unsigned char *back,
                  int level, int workers) {
  ZSTD_CCtx *out = pages ? zstd_compressor_on_pages(pages) : ZSTD_createCCtx();
  ZSTD_DCtx *in = pages ? zstd_decompressor_on_pages(pages) : ZSTD_createDCtx();
  if (!out || !in) return 0;
  ZSTD_CCtx_setParameter(out, ZSTD_c_compressionLevel, level);
  ZSTD_CCtx_setParameter(out, ZSTD_c_nbWorkers, workers);
  const size_t packed = ZSTD_compress2(out, small, ZSTD_compressBound(LONGEST), text, size);
  const int good = !ZSTD_isError(packed) && packed < size &&
                   ZSTD_decompressDCtx(in, back, LONGEST, small, packed) == size &&
                   memcmp(text, back, size) == 0;
  ZSTD_freeCCtx(out);
  ZSTD_freeDCtx(in);
  return good;
}

static void *work(void *argument) {
  const uint64_t index = (uint64_t)(uintptr_t)argument;
  unsigned char *text = malloc(LONGEST), *back = malloc(LONGEST);
  unsigned char *small = malloc(ZSTD_compressBound(LONGEST));
  int wrong = 0;
  fill(text, LONGEST, index);
  for (int i = 0; i < rounds; i++) {
    const size_t size = (size_t)10000 << i % 5;
    wrong += !passes(text + i % 1000, size, small, back, 1 + i % 4, 0);
    if (i % 100 == 0) wrong += !passes(text, LONGEST, small, back, 3, 2), operations++;
  }
  operations += (uint64_t)rounds;
  HOLDS(wrong == 0);
  free(text), free(back), free(small);
  return NULL;
}

static int use(void) {
  static unsigned char text[100000], small[LONGEST], back[LONGEST];
  fill(text, sizeof text, 1);
  return passes(text, sizeof text, small, back, 5, 0);
}

int main(int argc, char **argv) {
  if (argc < 2) return 2;
  const bool measures = argc > 2;
  pa_options options;
  rounds = measures ? 1500 : 300;
  const bool has_pages = read_way(argv[1], &options);
  options.thread_cache_bytes = 1 << 20; /* about one context, which is what a thread has */
  if (has_pages) HOLDS(pa_create(&options, &pages) == PA_OK);
  if (measures) warm_up();
  const double processor = processor_seconds(), elapsed = elapsed_seconds();
  run_threads(work, measures ? NULL : use);
  const double seconds = processor_seconds() - processor;
  return tell_end(pages, seconds, elapsed, operations);
}
