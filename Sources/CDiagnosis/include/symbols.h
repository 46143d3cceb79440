/* The names of functions, out of the files that the code was loaded from: their full tables of
 * symbols, which a debugger reads too, and not only the few that dladdr knows. */
#ifndef CDG_SYMBOLS_H
#define CDG_SYMBOLS_H

#include <elf.h>
#include <fcntl.h>
#include <link.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum { CDG_MODULES = 64, CDG_PATH = 200, CDG_BUILD_ID = 32 };

typedef struct {
  uintptr_t bias, low, high; /* what is added to the file's addresses; where the file lies */
  uintptr_t code_low, code_high, code_offset; /* where the code lies, and where in the file */
  uint8_t build_id[CDG_BUILD_ID];
  size_t build_id_length;
  char path[CDG_PATH];
} cdg_module;

extern cdg_module cdg_modules[CDG_MODULES] __attribute__((visibility("hidden")));
extern int cdg_module_count __attribute__((visibility("hidden")));
/* The process that notes them just now; 0 for none. */
extern int cdg_noting __attribute__((visibility("hidden")));

/* What the dynamic linker tells of a file; <link.h> keeps it to those who define _GNU_SOURCE. */
typedef struct {
  ElfW(Addr) bias;
  const char *name;
  const ElfW(Phdr) *parts;
  ElfW(Half) part_count;
} cdg_loaded;
extern int cdg_each_loaded(int (*body)(cdg_loaded *, size_t, void *), void *)
    __asm__("dl_iterate_phdr");

/* The build id out of a part of notes: records of a head, a name and what it says. */
static inline void cdg_note_build_id(cdg_module *m, const unsigned char *part, size_t length) {
  while (length >= 12) {
    uint32_t head[3]; /* bytes of the name, bytes of what it says, type */
    memcpy(head, part, sizeof head);
    size_t name = ((size_t)head[0] + 3) & ~(size_t)3, said = ((size_t)head[1] + 3) & ~(size_t)3;
    if (name > length - 12 || said > length - 12 - name) return;
    if (head[2] == NT_GNU_BUILD_ID && head[0] == 4 && memcmp(part + 12, "GNU", 4) == 0 &&
        head[1] <= CDG_BUILD_ID) {
      memcpy(m->build_id, part + 12 + name, head[1]);
      m->build_id_length = head[1];
      return;
    }
    part += 12 + name + said;
    length -= 12 + name + said;
  }
}

static inline int cdg_note(cdg_loaded *info, size_t size, void *argument) {
  (void)size;
  int *count = (int *)argument;
  if (*count == CDG_MODULES) return 1;
  cdg_module noted, *m = &noted;
  memset(m, 0, sizeof noted);
  m->bias = (uintptr_t)info->bias;
  m->low = UINTPTR_MAX;
  for (int i = 0; i < info->part_count; i++) {
    const ElfW(Phdr) *p = &info->parts[i];
    if (p->p_type == PT_NOTE && m->build_id_length == 0)
      cdg_note_build_id(m, (const unsigned char *)(m->bias + (uintptr_t)p->p_vaddr), p->p_memsz);
    if (p->p_type != PT_LOAD) continue;
    uintptr_t start = m->bias + (uintptr_t)p->p_vaddr;
    if (start < m->low) m->low = start;
    if (start + p->p_memsz > m->high) m->high = start + (uintptr_t)p->p_memsz;
    if (!(p->p_flags & PF_X) || m->code_high != 0) continue;
    m->code_low = start & ~(uintptr_t)4095;
    m->code_high = (start + (uintptr_t)p->p_memsz + 4095) & ~(uintptr_t)4095;
    m->code_offset = (uintptr_t)p->p_offset & ~(uintptr_t)4095;
  }
  if (m->low > m->high) return 0;
  if (info->name && info->name[0]) {
    strncpy(m->path, info->name, CDG_PATH - 1);
  } else if (*count == 0) {
    /* The program itself comes first, without a name. */
    ssize_t n = readlink("/proc/self/exe", m->path, CDG_PATH - 1);
    m->path[n > 0 ? n : 0] = '\0';
  }
  /* Others may be reading what was noted before, which hardly ever changes. */
  cdg_module *kept = &cdg_modules[(*count)++];
  if (memcmp(kept, m, sizeof noted) != 0) *kept = noted;
  return 0;
}

/* Notes which files the program's code comes from, so that a signal handler need not ask. */
static inline void cdg_note_modules(void) {
  /* Somebody does it just now; in a parent's process, nobody goes on with it here. */
  const int own = (int)getpid();
  int who = __atomic_load_n(&cdg_noting, __ATOMIC_RELAXED);
  if (who == own || !__atomic_compare_exchange_n(&cdg_noting, &who, own, 0, __ATOMIC_ACQUIRE,
                                                 __ATOMIC_RELAXED))
    return;
  int count = 0;
  (void)cdg_each_loaded(cdg_note, &count);
  __atomic_store_n(&cdg_module_count, count, __ATOMIC_RELEASE);
  __atomic_store_n(&cdg_noting, 0, __ATOMIC_RELEASE);
}

/* ---- Text */

typedef struct {
  char *out;
  size_t room, length;
} cdg_text;

static inline void cdg_add(cdg_text *t, const char *s, size_t n) {
  if (n > t->room - t->length) n = t->room - t->length;
  memcpy(t->out + t->length, s, n);
  t->length += n;
}

static inline void cdg_add_string(cdg_text *t, const char *s) { cdg_add(t, s, strlen(s)); }

static inline void cdg_add_number(cdg_text *t, uintptr_t value, unsigned base) {
  char digits[3 * sizeof value];
  size_t n = sizeof digits;
  do digits[--n] = "0123456789abcdef"[value % base];
  while (value /= base);
  cdg_add(t, digits + n, sizeof digits - n);
}

/* ---- Symbols */

static inline int cdg_is_inside(uint64_t offset, uint64_t size, size_t length) {
  return offset <= length && size <= length - offset;
}

/* Maps a file whole, to be read. NULL where that is refused, or the file is empty. */
static inline const char *cdg_map_file(const char *path, size_t *length) {
  int file = open(path, O_RDONLY | O_CLOEXEC);
  if (file < 0) return NULL;
  struct stat status;
  void *bytes = MAP_FAILED;
  if (fstat(file, &status) == 0 && status.st_size > 0) {
    *length = (size_t)status.st_size;
    bytes = mmap(NULL, *length, PROT_READ, MAP_PRIVATE, file, 0);
  }
  (void)close(file);
  return bytes == MAP_FAILED ? NULL : (const char *)bytes;
}

/* A function in a file: its place by the file's addresses, its size (0 where that is unknown), and
 * its name, which lies in the file. */
typedef struct {
  uintptr_t start, size;
  const char *name;
} cdg_function;

/* Calls a body with each function that a file tells of, which is mapped whole. */
static inline void cdg_each_function(const char *file, size_t length,
                                     void (*body)(void *, cdg_function), void *argument) {
  const ElfW(Ehdr) *head = (const ElfW(Ehdr) *)file;
  if (length < sizeof *head || memcmp(head->e_ident, ELFMAG, SELFMAG) != 0) return;
  if (head->e_shentsize != sizeof(ElfW(Shdr)) ||
      !cdg_is_inside(head->e_shoff, (uint64_t)head->e_shnum * sizeof(ElfW(Shdr)), length))
    return;
  const ElfW(Shdr) *sections = (const ElfW(Shdr) *)(file + head->e_shoff);
  for (int i = 0; i < head->e_shnum; i++) {
    const ElfW(Shdr) *s = &sections[i];
    if (s->sh_type != SHT_SYMTAB && s->sh_type != SHT_DYNSYM) continue;
    if (s->sh_link >= head->e_shnum || !cdg_is_inside(s->sh_offset, s->sh_size, length)) continue;
    const ElfW(Shdr) *names = &sections[s->sh_link];
    if (!cdg_is_inside(names->sh_offset, names->sh_size, length) || names->sh_size == 0) continue;
    if (file[names->sh_offset + names->sh_size - 1] != '\0') continue;
    const ElfW(Sym) *symbols = (const ElfW(Sym) *)(file + s->sh_offset);
    for (size_t n = s->sh_size / sizeof *symbols, j = 0; j < n; j++) {
      if ((symbols[j].st_info & 15) != STT_FUNC || symbols[j].st_name >= names->sh_size) continue;
      uintptr_t start = (uintptr_t)symbols[j].st_value;
#if defined(__arm__)
      start &= ~(uintptr_t)1; /* says that the code is Thumb */
#endif
      if (start == 0) continue;
      cdg_function f = {start, (uintptr_t)symbols[j].st_size,
                        file + names->sh_offset + symbols[j].st_name};
      body(argument, f);
    }
  }
}

/* What is looked for: the last function that starts at an address or below, and may reach there. */
typedef struct {
  uintptr_t address;
  cdg_function best;
} cdg_search;

static inline void cdg_find(void *argument, cdg_function f) {
  cdg_search *search = (cdg_search *)argument;
  if (f.start > search->address || f.start < search->best.start) return;
  if (f.size == 0 || search->address - f.start < f.size) search->best = f;
}

/* Of the Swift runtime, where the program has one: allocates the readable name. */
extern char *swift_demangle(const char *name, size_t length, char *out, size_t *room,
                            uint32_t flags) __attribute__((weak));

static inline void cdg_add_name(cdg_text *t, const char *name, int readable) {
  char *nice = NULL;
  if (readable && swift_demangle) nice = swift_demangle(name, strlen(name), NULL, NULL, 0);
  cdg_add_string(t, nice ? nice : name);
  free(nice);
}

static inline void cdg_add_symbol(cdg_text *t, const cdg_module *m, uintptr_t address,
                                  int readable) {
  size_t length = 0;
  const char *file = cdg_map_file(m->path, &length);
  if (!file) return;
  /* A return address may lie behind the function that ends in a call. */
  cdg_search search = {address - 1 - m->bias, {0, 0, NULL}};
  cdg_each_function(file, length, cdg_find, &search);
  if (search.best.name) {
    cdg_add_name(t, search.best.name, readable);
    cdg_add_string(t, " + ");
    cdg_add_number(t, address - m->bias - search.best.start, 10);
    cdg_add_string(t, " ");
  }
  (void)munmap((void *)file, length);
}

/* "function + 12 (file+0x1234)" for an address in code, as much as is known of it. Reads the file's
 * table of symbols; safe in a signal handler unless names are to be readable.
 * Returns the length; nothing is put behind the end. */
static inline size_t cdg_describe(uintptr_t address, char *out, size_t room, int readable) {
  cdg_text t = {out, room, 0};
  int count = __atomic_load_n(&cdg_module_count, __ATOMIC_ACQUIRE);
  for (int i = 0; i < count; i++) {
    const cdg_module *m = &cdg_modules[i];
    if (address < m->low || address >= m->high) continue;
    cdg_add_symbol(&t, m, address, readable);
    const char *slash = strrchr(m->path, '/');
    cdg_add_string(&t, "(");
    cdg_add_string(&t, slash ? slash + 1 : m->path);
    cdg_add_string(&t, "+0x");
    cdg_add_number(&t, address - m->bias, 16);
    cdg_add_string(&t, ")");
    return t.length;
  }
  cdg_add_string(&t, "0x");
  cdg_add_number(&t, address, 16);
  return t.length;
}

#endif
