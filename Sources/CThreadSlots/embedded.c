/* A mend of the runtime of Embedded Swift on arm64.
 *
 * A String's storage is a pointer with tags in its upper bits, which say, besides, whether and how
 * long the text is that lies in the String itself. swift_bridgeObjectRetain is to count a reference
 * and to give back what it was given. That of Embedded Swift 6.3 gives back the pointer without its
 * tags. Its callers are told that they get what they gave; on arm64 alone they go on with the
 * register of the result, and have an empty text of wild bytes where a short one was
 * (https://github.com/swiftlang/swift/pull/91151, in no release by 6.3.1).
 *
 * The runtime's functions are weak: these take their place. They must not be there with the full
 * runtime, which is right and has strong ones, and no macro of C's tells the two apart: who
 * compiles Embedded Swift for arm64 defines PAGEALLOC_EMBEDDED, as Tests/Cross/provide.sh does.
 *
 * This file, the macro and what Restrictions.md and OtherHosts.md say of it go when the oldest
 * compiler that the package is built with has that change. */
#if defined(__aarch64__) && defined(PAGEALLOC_EMBEDDED)

#include <stdint.h>

void *swift_retain(void *object);
void *swift_retain_n(void *object, uint32_t count);

/* The pointer alone. The uppermost bit stays: who has it is not counted. */
static void *without_tags(void *object) {
  return (void *)((uintptr_t)object & 0x8ffffffffffffff8);
}

__attribute__((visibility("hidden"))) void *swift_bridgeObjectRetain(void *object) {
  (void)swift_retain(without_tags(object));
  return object;
}

__attribute__((visibility("hidden"))) void *swift_bridgeObjectRetain_n(void *object,
                                                                      uint32_t count) {
  (void)swift_retain_n(without_tags(object), count);
  return object;
}

#else

/* Elsewhere there is nothing to mend; C wants a declaration in every file. */
typedef int cts_nothing_to_mend;

#endif
