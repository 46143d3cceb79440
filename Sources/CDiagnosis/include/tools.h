/* AddressSanitizer and Valgrind's memcheck: both are told what may be accessed. */
#ifndef CDG_TOOLS_H
#define CDG_TOOLS_H

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

enum { CDG_ADDRESS_SANITIZER = 1, CDG_MEMCHECK = 2 };

extern void __asan_poison_memory_region(const volatile void *address, size_t length)
    __attribute__((weak));
extern void __asan_unpoison_memory_region(const volatile void *address, size_t length)
    __attribute__((weak));

/* A request to Valgrind: instructions that do nothing, and that it knows by their pattern. Their
 * result is `otherwise` when the program does not run under Valgrind, or its tool knows no such
 * request. */
static inline uintptr_t cdg_request(uintptr_t otherwise, uintptr_t number, uintptr_t address,
                         uintptr_t length) {
  volatile uintptr_t words[6] = {number, address, length, 0, 0, 0};
#if defined(__x86_64__)
  register uintptr_t result __asm__("rdx") = otherwise;
  __asm__ volatile("rolq $3, %%rdi\n\trolq $13, %%rdi\n\trolq $61, %%rdi\n\trolq $51, %%rdi\n\t"
                   "xchgq %%rbx, %%rbx"
                   : "+r"(result)
                   : "a"(words)
                   : "cc", "memory");
  return result;
#elif defined(__i386__)
  register uintptr_t result __asm__("edx") = otherwise;
  __asm__ volatile("roll $3, %%edi\n\troll $13, %%edi\n\troll $29, %%edi\n\troll $19, %%edi\n\t"
                   "xchgl %%ebx, %%ebx"
                   : "+r"(result)
                   : "a"(words)
                   : "cc", "memory");
  return result;
#elif defined(__arm__) && !defined(__thumb__)
  register uintptr_t result __asm__("r3") = otherwise;
  register volatile uintptr_t *list __asm__("r4") = words;
  __asm__ volatile("mov r12, r12, ror #3\n\tmov r12, r12, ror #13\n\t"
                   "mov r12, r12, ror #29\n\tmov r12, r12, ror #19\n\torr r10, r10, r10"
                   : "+r"(result)
                   : "r"(list)
                   : "cc", "memory");
  return result;
#else
  (void)words;
  return otherwise;
#endif
}

/* Memcheck's requests, numbered from ('M' << 24 | 'C' << 16). It answers them with -1. */
enum { CDG_NO_ACCESS = 0, CDG_UNDEFINED = 1, CDG_DEFINED = 2, CDG_IS_ADDRESSABLE = 4 };
static inline uintptr_t cdg_memcheck(uintptr_t number, uintptr_t address, uintptr_t length) {
  return cdg_request(0, (uintptr_t)'M' << 24 | (uintptr_t)'C' << 16 | number, address, length);
}

/* Which of the tools the program runs under. */
static inline int cdg_tools(void) {
  int tools = __asan_poison_memory_region ? CDG_ADDRESS_SANITIZER : 0;
  char nothing = 0;
  if (cdg_memcheck(CDG_DEFINED, (uintptr_t)&nothing, 1) != 0) tools |= CDG_MEMCHECK;
  return tools;
}

/* Nobody may access the range. */
static inline void cdg_forbid(int tools, uintptr_t address, uintptr_t length) {
  if (tools & CDG_ADDRESS_SANITIZER) __asan_poison_memory_region((void *)address, length);
  if (tools & CDG_MEMCHECK) (void)cdg_memcheck(CDG_NO_ACCESS, address, length);
}

/* Everybody may access the range; its contents are arbitrary, or as they are. */
static inline void cdg_permit(int tools, uintptr_t address, uintptr_t length, int has_contents) {
  if (tools & CDG_ADDRESS_SANITIZER) __asan_unpoison_memory_region((void *)address, length);
  if (tools & CDG_MEMCHECK) {
    (void)cdg_memcheck(has_contents ? CDG_DEFINED : CDG_UNDEFINED, address, length);
  }
}

/* For tests: whether a tool would complain of an access. */
extern int __asan_address_is_poisoned(const volatile void *address) __attribute__((weak));
static inline int cdg_is_forbidden(int tools, uintptr_t address) {
  if (tools & CDG_ADDRESS_SANITIZER) return __asan_address_is_poisoned((void *)address);
  if (tools & CDG_MEMCHECK) return cdg_memcheck(CDG_IS_ADDRESSABLE, address, 1) != 0;
  return 0;
}

/* Has something called when the process ends, by exit or at the end of main. 0, or not. */
static inline int cdg_at_exit(void (*body)(void)) { return atexit(body); }

/* The value of an environment variable: '\0' where it is not set or empty, else its first byte. */
static inline char cdg_environment(const char *name) {
  const char *value = getenv(name);
  return value ? value[0] : '\0';
}

#endif
