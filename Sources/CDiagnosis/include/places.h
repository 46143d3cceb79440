/* Many places in the code at once: sorted, each once, and named by one look through the symbols of
 * each file. For the profile. Nothing is allocated but by mmap, and by the Swift runtime, which
 * makes names readable. */
#ifndef CDG_PLACES_H
#define CDG_PLACES_H

#include "symbols.h"

/* A place: an address in an instruction, where its function starts (0 where that is unknown), the
 * function's name in the file of its module, and the number of the module (-1 where there is
 * none). */
typedef struct {
  uintptr_t address, start;
  const char *name;
  int module;
} cdg_place;

typedef struct {
  cdg_place *places;
  size_t count, room;
  const char *files[CDG_MODULES];
  size_t lengths[CDG_MODULES];
} cdg_places;

/* Room for so many places. 0, or an errno value. */
static inline int cdg_places_begin(cdg_places *p, size_t room) {
  memset(p, 0, sizeof *p);
  void *bytes = mmap(NULL, (room + 1) * sizeof *p->places, PROT_READ | PROT_WRITE,
                     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (bytes == MAP_FAILED) return errno;
  p->places = (cdg_place *)bytes;
  p->room = room;
  return 0;
}

static inline void cdg_places_add(cdg_places *p, uintptr_t address) {
  if (p->count < p->room) p->places[p->count++].address = address;
}

static inline void cdg_sift(cdg_place *places, size_t root, size_t count) {
  for (size_t child; (child = 2 * root + 1) < count; root = child) {
    if (child + 1 < count && places[child + 1].address > places[child].address) child++;
    if (places[root].address >= places[child].address) return;
    cdg_place other = places[root];
    places[root] = places[child];
    places[child] = other;
  }
}

/* In order, and each once. The library's own qsort may allocate. */
static inline void cdg_places_sort(cdg_places *p) {
  for (size_t i = p->count / 2; i-- > 0;) cdg_sift(p->places, i, p->count);
  for (size_t end = p->count; end-- > 1;) {
    cdg_place last = p->places[end];
    p->places[end] = p->places[0];
    p->places[0] = last;
    cdg_sift(p->places, 0, end);
  }
  size_t kept = 0;
  for (size_t i = 0; i < p->count; i++)
    if (kept == 0 || p->places[kept - 1].address != p->places[i].address)
      p->places[kept++] = p->places[i];
  p->count = kept;
}

/* The first place at an address or above. */
static inline size_t cdg_places_from(const cdg_places *p, uintptr_t address) {
  size_t low = 0, high = p->count;
  while (low < high) {
    size_t middle = low + (high - low) / 2;
    if (p->places[middle].address < address) low = middle + 1;
    else high = middle;
  }
  return low;
}

/* Whose places are named, and what is added to the addresses of the file. */
typedef struct {
  cdg_places *places;
  uintptr_t bias;
} cdg_naming;

/* Names the places that lie in a function. */
static inline void cdg_places_name(void *argument, cdg_function f) {
  const cdg_naming *naming = (const cdg_naming *)argument;
  cdg_places *p = naming->places;
  uintptr_t start = naming->bias + f.start, end = start + f.size;
  for (size_t k = cdg_places_from(p, start); k < p->count && p->places[k].address < end; k++) {
    if (start < p->places[k].start) continue;
    p->places[k].start = start;
    p->places[k].name = f.name;
  }
}

/* Finds the module of each place, and its function. */
static inline void cdg_places_find(cdg_places *p) {
  cdg_places_sort(p);
  for (size_t i = 0; i < p->count; i++) p->places[i].module = -1;
  int count = __atomic_load_n(&cdg_module_count, __ATOMIC_ACQUIRE);
  for (int i = 0; i < count; i++) {
    const cdg_module *m = &cdg_modules[i];
    size_t first = cdg_places_from(p, m->low), end = cdg_places_from(p, m->high);
    if (first == end) continue;
    for (size_t k = first; k < end; k++) p->places[k].module = i;
    /* The program comes first: this is its file, also where another has its path by now. */
    p->files[i] = cdg_map_file(i == 0 ? "/proc/self/exe" : m->path, &p->lengths[i]);
    cdg_naming naming = {p, m->bias};
    if (p->files[i]) cdg_each_function(p->files[i], p->lengths[i], cdg_places_name, &naming);
  }
}

static inline uintptr_t cdg_place_address(const cdg_places *p, size_t i) {
  return p->places[i].address;
}
static inline uintptr_t cdg_place_start(const cdg_places *p, size_t i) {
  return p->places[i].start;
}
static inline int cdg_place_module(const cdg_places *p, size_t i) { return p->places[i].module; }

/* Whether a place was added. */
static inline int cdg_place_is_known(const cdg_places *p, uintptr_t address) {
  size_t i = cdg_places_from(p, address);
  return i < p->count && p->places[i].address == address;
}

/* The number of a place that was added. */
static inline size_t cdg_place_number(const cdg_places *p, uintptr_t address) {
  return cdg_places_from(p, address);
}

/* Whether the place lies in this library, or in what it calls to unwind, by its name. */
static inline int cdg_place_is_own(const cdg_places *p, size_t i) {
  const char *name = p->places[i].name;
  /* The second letter is another in Embedded Swift. */
  return name &&
         (strncmp(name, "$s9PageAlloc", 12) == 0 || strncmp(name, "$e9PageAlloc", 12) == 0 ||
          strncmp(name, "$s6SysMem", 9) == 0 || strncmp(name, "$e6SysMem", 9) == 0 ||
          strncmp(name, "cdg_", 4) == 0);
}

/* The name of the function that a place lies in. Returns the length, 0 where it is unknown. */
static inline size_t cdg_place_name(const cdg_places *p, size_t i, char *out, size_t room,
                                    int readable) {
  cdg_text t = {out, room, 0};
  if (p->places[i].name) cdg_add_name(&t, p->places[i].name, readable);
  return t.length;
}

static inline void cdg_places_end(cdg_places *p) {
  for (int i = 0; i < CDG_MODULES; i++)
    if (p->files[i]) (void)munmap((void *)p->files[i], p->lengths[i]);
  (void)munmap(p->places, (p->room + 1) * sizeof *p->places);
}

/* What is known of a module. */
static inline int cdg_module_total(void) {
  return __atomic_load_n(&cdg_module_count, __ATOMIC_ACQUIRE);
}
static inline uintptr_t cdg_module_low(int i) { return cdg_modules[i].code_low; }
static inline uintptr_t cdg_module_high(int i) { return cdg_modules[i].code_high; }
static inline uintptr_t cdg_module_offset(int i) { return cdg_modules[i].code_offset; }
static inline size_t cdg_module_path(int i, char *out, size_t room) {
  cdg_text t = {out, room, 0};
  cdg_add_string(&t, cdg_modules[i].path);
  return t.length;
}
/* The build id in hexadecimal digits. */
static inline size_t cdg_module_build_id(int i, char *out, size_t room) {
  cdg_text t = {out, room, 0};
  for (size_t k = 0; k < cdg_modules[i].build_id_length; k++) {
    char digits[2] = {"0123456789abcdef"[cdg_modules[i].build_id[k] >> 4],
                      "0123456789abcdef"[cdg_modules[i].build_id[k] & 15]};
    cdg_add(&t, digits, 2);
  }
  return t.length;
}

/* The value of an environment variable, put into `out` with no end; its length, 0 where it is not
 * set, or too long. */
static inline size_t cdg_environment_text(const char *name, char *out, size_t room) {
  const char *value = getenv(name);
  size_t length = value ? strlen(value) : 0;
  if (length > room) return 0;
  if (length) memcpy(out, value, length);
  return length;
}

#endif
