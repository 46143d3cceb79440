/* PageAlloc for C and C++: arenas of page memory.
 *
 *     pa_arena *arena;
 *     if (pa_create(NULL, &arena) != PA_OK) return 1;
 *     void *run = pa_alloc(arena, 16, NULL);
 *     pa_free(arena, run, 16);
 *     pa_destroy(arena);
 *
 * An arena has up to 4 GiB of address space, which is served in runs of pages of 8 KiB. Memory is
 * committed as demand grows. All calls may be made from any thread, but for those about a cache
 * handle or a region, each of which is for one thread at a time.
 *
 * The library calls no malloc: what it needs for itself it maps. It starts no thread unless the
 * options ask for one (PA_SCAVENGE_IN_BACKGROUND).
 *
 * Status. A call that can fail returns a pa_status, or has one as its last argument, which may be
 * NULL: there it writes PA_OK, or why it returned NULL. A call that fails has changed nothing but
 * where it says so. Bad input is refused with a status that names the argument; what must not be
 * passed is a pointer to an arena, a cache, a pool or a region that was destroyed, or to memory
 * that the library cannot read or write. A process is ended (SIGILL or SIGTRAP) only where the
 * library finds that its own tables were damaged.
 *
 * Structs. Each begins with its own size in bytes, which the caller sets, so that a program and a
 * library of different versions understand each other. Bytes beyond what the library knows must be
 * zero where it reads them, and are left alone where it writes them. A size above 4096 is none.
 *
 * Sizes are in pages of PA_PAGE_SIZE bytes where nothing else is said.
 */
#ifndef PAGEALLOC_H
#define PAGEALLOC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define PA_VERSION_MAJOR 0
#define PA_VERSION_MINOR 2
#define PA_VERSION_PATCH 0

#if defined(__GNUC__)
#define PA_API __attribute__((visibility("default")))
#else
#define PA_API
#endif

/* Bytes in a page. */
#define PA_PAGE_SIZE 8192

/* For a byte count in the options, where 0 stands for the default: none at all. */
#define PA_NONE UINT64_MAX

typedef struct pa_arena pa_arena;
typedef struct pa_cache pa_cache;
typedef struct pa_region pa_region;
typedef struct pa_pool pa_pool;

/* ---- Status */

/* PA_OK, one of those below, or PA_SYSTEM and the number of an error that the kernel gave. In a
 * signal's handler any call may say PA_REENTERED. */
typedef int32_t pa_status;

enum {
  PA_OK = 0,

  /* Bad input. */
  PA_BAD_ARGUMENT = 1,        /* NULL where it is not allowed, or a number that means nothing */
  PA_BAD_SIZE = 2,            /* a struct's size, or a field that this version does not know */
  PA_BAD_PAGE_COUNT = 3,      /* pages: zero, or more than the arena, or the run, can have */
  PA_BAD_ALIGNMENT = 4,       /* alignment: no power of two, or larger than the arena */
  PA_BAD_BYTE_COUNT = 5,      /* a byte count that cannot be had */
  PA_BAD_RESERVATION = 6,     /* reserve_bytes: an arena's 64 MiB to 4 GiB, a pool's to 64 TiB */
  PA_BAD_SCAVENGING = 7,      /* headroom not in 0 ... 16, or cpu_share not in 0 ... 1 */
  PA_BAD_MEMORY_LIMIT = 8,    /* a soft limit above the hard one, or group_fraction above 1 */
  PA_BAD_DIAGNOSIS = 9,       /* quarantine_bytes */
  PA_MISALIGNED = 10,         /* the address is not that of a page */
  PA_FOREIGN = 11,            /* an address that is not in memory that this arena has grown to */
  PA_NOT_IN_USE = 12,         /* the first page is not in use: freed before, or never allocated */
  PA_PAST_END_OF_RUN = 13,    /* the range goes on past the end of the run */
  PA_NOT_A_START = 14,        /* no run that is in use starts at the address */
  PA_NOT_PLAIN = 15,          /* other access rights in the run, or advice about huge pages */
  PA_WRITABLE_CODE = 16,      /* writable and executable at once was not asked for in the options */
  PA_PART_OF_KERNEL_PAGE = 17, /* the range does not start and end at pages of the kernel's */
  PA_OUT_OF_BOUNDS = 18,      /* a range goes beyond what it is a range of */
  PA_NOT_COMMITTED = 19,      /* some of the range is a hole */
  PA_BAD_GUARD = 20,          /* guard_bytes */
  PA_TOO_MANY_HOLES = 21,     /* a region can have 32 */
  PA_REENTERED = 22,          /* a signal's handler, while its thread is inside a call */

  /* What cannot be done now. */
  PA_NOT_FREE = 32,           /* the pages that were asked for are not free */
  PA_OUT_OF_MEMORY = 33,      /* no such run is free, and there is no address space left */
  PA_LIMIT_REACHED = 34,      /* the hard limit */
  PA_NO_ADDRESS_SPACE = 35,   /* the reservation was refused */
  PA_TOO_MANY_MAPPINGS = 36,  /* the process would have too many mappings */
  PA_UNSUPPORTED = 37,        /* this host cannot do it */
  PA_BUSY = 38,               /* another thread is doing it */
  PA_TRUNCATED = 39,          /* the buffer is too small */

  /* The kernel refused a call: PA_SYSTEM + errno. */
  PA_SYSTEM = 4096
};

/* What a status means, in English; a text of the library's that always stays. Never NULL. */
PA_API const char *pa_strerror(pa_status status);

/* The errno of a status from PA_SYSTEM on; 0 for any other. */
PA_API int pa_errno(pa_status status);

/* The library's version: major << 16 | minor << 8 | patch. */
PA_API uint32_t pa_version(void);

/* ---- An arena's beginning and end */

/* Who gives free memory back to the kernel. */
enum {
  /* Whoever calls pa_scavenge_step: no thread of the library's. */
  PA_SCAVENGE_BY_STEPS = 0,
  /* One thread of the library's, for all arenas that say so. */
  PA_SCAVENGE_IN_BACKGROUND = 1,
  /* Nobody but pa_release and what a limit demands. */
  PA_SCAVENGE_ON_REQUEST = 2
};

/* Whether the kernel is asked for huge pages. */
enum {
  PA_HUGE_PAGES_AUTOMATIC = 0, /* for what the arena grows by, where the kernel has them quickly */
  PA_HUGE_PAGES_SYSTEM = 1,    /* the kernel is told nothing */
  PA_HUGE_PAGES_PREFER = 2,    /* wherever possible */
  PA_HUGE_PAGES_AVOID = 3      /* none */
};

/* Whether the arena looks for the program's mistakes with its runs. */
enum {
  PA_DIAGNOSIS_AUTOMATIC = 0, /* what PAGEALLOC_CHECKED says: 1, abort or 0; where it is not set,
                                 checked under AddressSanitizer and memcheck alone */
  PA_DIAGNOSIS_OFF = 1,
  PA_DIAGNOSIS_CHECKED = 2,   /* records, and a quarantine for what was freed */
  PA_DIAGNOSIS_FAULTS = 3     /* the same, and faults in the arena are told on standard error */
};

/* Flags of an arena, to be combined. */
enum {
  /* The process's handlers of fork call pa_fork_prepare, pa_fork_parent and pa_fork_child; the
   * library's own leave the arena alone. */
  PA_FORK_MANUAL = 1,
  /* Memory may be writable and executable at once. */
  PA_WRITABLE_CODE_ALLOWED = 2,
  /* The arena lives as long as the process, and its tables are sealed where the kernel can. */
  PA_PERMANENT = 4,
  /* All free memory goes back when tasks of the system have to wait for memory: with
   * PA_SCAVENGE_IN_BACKGROUND alone. */
  PA_WATCH_PRESSURE = 8
};

/* How an arena is set up. A field that is 0 stands for the default: for less headroom or time than
 * that, say a small number. */
typedef struct pa_options {
  uint32_t size;               /* sizeof(pa_options) */
  uint32_t flags;              /* PA_FORK_MANUAL and so on */
  uint64_t reserve_bytes;      /* address space: 64 MiB to 4 GiB; default 4 GiB */
  uint64_t thread_cache_bytes; /* freed runs that a thread keeps: default 16 MiB; PA_NONE */
  uint64_t soft_limit_bytes;   /* beyond it free memory goes back first; default none */
  uint64_t hard_limit_bytes;   /* beyond it allocations are refused; default none */
  double group_fraction;       /* above 0: the limits are those of the control group */
  double headroom;             /* free memory that stays, as a part of what is in use: 0.1 */
  double cpu_share;            /* of one processor, for giving back: 0.01 */
  uint32_t scavenging;         /* PA_SCAVENGE_... */
  uint32_t huge_pages;         /* PA_HUGE_PAGES_... */
  uint32_t diagnosis;          /* PA_DIAGNOSIS_... */
  uint32_t unused;             /* 0 */
  uint64_t quarantine_bytes;   /* of the checked mode: default 64 MiB; PA_NONE */
} pa_options;

/* Everything as by default. Free memory then goes back by pa_release, for a limit, and by
 * pa_scavenge_step; by itself with PA_SCAVENGE_IN_BACKGROUND. */
#define PA_OPTIONS_INIT                                                                            \
  { (uint32_t)sizeof(pa_options), 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0 }

/* Makes an arena. options: NULL for the default of everything. *arena is NULL on failure.
 *
 * PA_BAD_ARGUMENT, PA_BAD_SIZE, PA_BAD_RESERVATION, PA_BAD_SCAVENGING, PA_BAD_MEMORY_LIMIT,
 * PA_BAD_DIAGNOSIS, PA_NO_ADDRESS_SPACE, PA_SYSTEM. */
PA_API pa_status pa_create(const pa_options *options, pa_arena **arena);

/* Ends an arena; all its memory goes, with the runs that are in use. Where there are cache handles
 * it stays until the last of them has been destroyed. NULL is allowed, and does nothing. */
PA_API void pa_destroy(pa_arena *arena);

/* ---- Runs */

/* Flags of an allocation. */
enum {
  PA_ZEROED = 1 /* the memory is to read as zero */
};

/* Takes a run of pages. Its contents are arbitrary. O(1) in the heap; zeroed, O(pages cleared).
 *
 * NULL: PA_BAD_PAGE_COUNT, PA_OUT_OF_MEMORY, PA_LIMIT_REACHED, PA_REENTERED, PA_SYSTEM. */
PA_API void *pa_alloc(pa_arena *arena, size_t pages, pa_status *status);

/* The same, reading as zero: only what may hold something is cleared. */
PA_API void *pa_alloc_zeroed(pa_arena *arena, size_t pages, pa_status *status);

/* The same at a multiple of an alignment in bytes, a power of two. Also NULL: PA_BAD_ALIGNMENT. */
PA_API void *pa_alloc_aligned(pa_arena *arena, size_t pages, size_t alignment, pa_status *status);

/* The same with flags (PA_ZEROED), which tells what the run holds. is_zero: where to write whether
 * all of the run is known to read as zero, whatever was asked for; may be NULL. */
PA_API void *pa_alloc_with(pa_arena *arena, size_t pages, size_t alignment, uint32_t flags,
                           bool *is_zero, pa_status *status);

/* Takes the pages at an address in memory that the arena has grown to, if they are free.
 *
 * PA_NOT_FREE; PA_BAD_PAGE_COUNT, PA_MISALIGNED, PA_FOREIGN, PA_LIMIT_REACHED. */
PA_API pa_status pa_alloc_at(pa_arena *arena, void *first, size_t pages, uint32_t flags);

/* Gives a run back, or a part of one; what is left of it on either side stays in use.
 * O(pages / 512).
 *
 * PA_BAD_PAGE_COUNT, PA_MISALIGNED, PA_FOREIGN, PA_NOT_IN_USE, PA_PAST_END_OF_RUN. */
PA_API pa_status pa_free(pa_arena *arena, void *first, size_t pages);

/* Gives the whole run back that starts at an address. As pa_free, and PA_NOT_A_START. */
PA_API pa_status pa_free_run(pa_arena *arena, void *run);

/* Gives all runs back that fill a range, the first and the last perhaps in part. O(runs).
 *
 * As pa_free, and PA_NOT_IN_USE where any page of the range is not in use: nothing has changed. */
PA_API pa_status pa_free_range(pa_arena *arena, void *first, size_t pages);

/* Takes the pages that follow a run, if they are free: it has so many pages then. Fewer than it
 * has, zero included, change nothing.
 *
 * PA_NOT_FREE; PA_NOT_A_START, PA_MISALIGNED, PA_FOREIGN. */
PA_API pa_status pa_extend(pa_arena *arena, void *run, size_t pages, uint32_t flags);

/* Changes the size of a run, moving it where it must; the contents stay, up to the smaller size.
 * Returns where it lies now. flags: PA_ZEROED is about the new pages.
 *
 * NULL, with the run as before: what pa_alloc and pa_extend say. */
PA_API void *pa_resize(pa_arena *arena, void *run, size_t pages, uint32_t flags, pa_status *status);

/* Where a run in use lies. */
typedef struct pa_run {
  uint32_t size;   /* sizeof(pa_run) */
  uint32_t unused; /* 0 */
  void *start;     /* its first byte */
  size_t pages;
  pa_arena *arena; /* whose it is */
} pa_run;

/* The run in use that an address lies in, at its start or anywhere inside.
 *
 * arena: where to look; NULL for all arenas. PA_NOT_IN_USE where it lies in none. */
PA_API pa_status pa_find(pa_arena *arena, const void *address, pa_run *run);

/* ---- Contents */

/* Gives the contents of pages in use back to the kernel: they read as zero, and cost no memory
 * until they are written to. Across runs, or in a part of one.
 *
 * PA_BAD_PAGE_COUNT, PA_MISALIGNED, PA_FOREIGN, PA_NOT_IN_USE; PA_PART_OF_KERNEL_PAGE;
 * PA_SYSTEM: some of it may have gone. */
PA_API pa_status pa_discard(pa_arena *arena, void *first, size_t pages);

/* Lets the kernel take the contents of pages in use when it wants to (MADV_FREE): until they are
 * written to again they read as before, or as zero. As pa_discard. */
PA_API pa_status pa_purge_lazy(pa_arena *arena, void *first, size_t pages);

/* Gives pages back whose contents are of no use to anybody, to the kernel at once: whoever gets
 * them next need not clear them. As pa_free and pa_discard. */
PA_API pa_status pa_free_discarded(pa_arena *arena, void *first, size_t pages);

/* ---- Access rights, memory that comes and goes in place, and huge pages of a run
 *
 * What these calls are about are pages in a row of one run, in use. A run that is not plain memory
 * any more can be found and freed as before, in parts, too: what is freed is made plain first.
 * Where the kernel will not (PA_SYSTEM) it stays in use as it was; of a free across runs, those
 * before it have gone. It can neither grow nor move, and its contents cannot be purged lazily
 * (PA_NOT_PLAIN). Once all of it may be read and written, it is plain again, unless it was advised
 * about huge pages. Nobody else may free or change the run meanwhile.
 *
 * PA_BAD_PAGE_COUNT, PA_MISALIGNED, PA_FOREIGN, PA_NOT_IN_USE, PA_PAST_END_OF_RUN;
 * PA_PART_OF_KERNEL_PAGE, PA_TOO_MANY_MAPPINGS, PA_SYSTEM: a part of it may have changed. */

/* What memory may be used for. */
enum {
  PA_ACCESS_NONE = 0,
  PA_ACCESS_READ = 1,
  PA_ACCESS_READ_WRITE = 2,
  PA_ACCESS_READ_EXECUTE = 3,
  PA_ACCESS_READ_WRITE_EXECUTE = 4
};

/* Changes what pages may be used for: PA_ACCESS_... Code that was written may be executed
 * afterwards. Also PA_WRITABLE_CODE, PA_LIMIT_REACHED. */
PA_API pa_status pa_protect(pa_arena *arena, void *first, size_t pages, uint32_t access);

/* Gives the contents of pages back, and has any access to them fault. They stay in use, but count
 * for no limit. */
PA_API pa_status pa_decommit(pa_arena *arena, void *first, size_t pages);

/* Makes memory again of pages, which may be read and written, and counts them: those that were
 * decommitted read as zero. Also PA_LIMIT_REACHED. */
PA_API pa_status pa_commit(pa_arena *arena, void *first, size_t pages);

/* Asks the kernel for huge pages for some pages (PA_HUGE_PAGES_PREFER), or for none
 * (PA_HUGE_PAGES_AVOID), whatever the options say; anything else is PA_BAD_ARGUMENT. It holds until
 * the pages are freed: the kernel forgets such advice only with the memory, so the run is not plain
 * memory until then, whatever it may be used for. Whoever gets the pages next finds them as the
 * arena has them. Huge pages come where a whole one lies in pages that are advised alike;
 * pa_collapse gathers what is there already. A limit that is set later may take a preference back,
 * and then it may be given again. Where the kernel does not know the call (PA_SYSTEM + EINVAL),
 * nothing has changed. */
PA_API pa_status pa_advise_huge_pages(pa_arena *arena, void *first, size_t pages, uint32_t advice);

/* ---- Cache handles */

/* A cache handle has free runs at hand for one owner at a time: the shortest way to pages, with no
 * look at the thread. A run that came by one may be freed anywhere, and the other way round.
 * *cache is NULL on failure.
 *
 * PA_SYSTEM where there is no memory for it; PA_REENTERED. */
PA_API pa_status pa_cache_create(pa_arena *arena, pa_cache **cache);

/* Ends a handle; what it has at hand goes back. NULL does nothing. */
PA_API void pa_cache_destroy(pa_cache *cache);

/* As pa_alloc, by way of a handle. */
PA_API void *pa_cache_alloc(pa_cache *cache, size_t pages, pa_status *status);

/* As pa_free, by way of a handle. */
PA_API pa_status pa_cache_free(pa_cache *cache, void *first, size_t pages);

/* ---- Free memory goes back to the kernel */

/* Gives back at least so many bytes of free memory, as far as there is so much.
 *
 * released: where to write how many went; may be NULL. PA_SYSTEM where the kernel refused
 * some; 0 is written then, whatever else went. */
PA_API pa_status pa_release(pa_arena *arena, uint64_t bytes, uint64_t *released);

/* Gives all free memory back, what threads and handles keep at hand included. */
PA_API pa_status pa_release_all(pa_arena *arena, uint64_t *released);

/* Lets the kernel take all free memory when it wants to. offered: how many bytes; may be NULL. */
PA_API pa_status pa_release_lazy(pa_arena *arena, uint64_t *offered);

/* One step of the scavenger, for an arena of PA_SCAVENGE_BY_STEPS: gives back what is beyond the
 * headroom and has not been used for a second, for about a millisecond.
 *
 * nanoseconds: where to write how long to wait until the next step; UINT64_MAX where there is
 * nothing to do until more is freed; may be NULL. PA_BUSY where another thread performs a step,
 * PA_BAD_SCAVENGING where the arena's memory is not given back by steps. */
PA_API pa_status pa_scavenge_step(pa_arena *arena, uint64_t *nanoseconds);

/* Gathers memory in use into huge pages, now. gathered: bytes; may be NULL. */
PA_API pa_status pa_collapse(pa_arena *arena, uint64_t *gathered);

/* ---- Limits */

/* Sets other bounds on resident memory, in bytes; 0 for none. Free memory goes back at once.
 *
 * PA_BAD_MEMORY_LIMIT; PA_SYSTEM where the kernel took nothing back: the limit is set all the
 * same. */
PA_API pa_status pa_set_limits(pa_arena *arena, uint64_t soft_bytes, uint64_t hard_bytes);

/* Bounds resident memory by what the control group of the process leaves: a fraction of that,
 * above 0 and at most 1, is the soft limit. PA_BAD_MEMORY_LIMIT. */
PA_API pa_status pa_set_group_limit(pa_arena *arena, double fraction);

/* The bounds in force; 0 where there is none. A hard limit alone is the soft one, too. Either
 * pointer may be NULL. */
PA_API pa_status pa_get_limits(pa_arena *arena, uint64_t *soft_bytes, uint64_t *hard_bytes);

/* What a program does before a hard limit, or the control group's, refuses a request of so many
 * pages: it may give back something of its own, such as a cache. Returns 0 where it gave nothing
 * back; else the request is made once more, and then refused if it still does not fit. */
typedef int (*pa_limit_handler)(void *context, size_t pages);

/* Sets what is called then; handler may be NULL, for none. context is handed on to it.
 *
 * The thread whose request it is calls it, with no lock of the library's held. It may use the
 * arena, but not what the request is about: the run that is to change, the cache handle or the
 * region. What a limit refuses to it, in any arena, is refused at once, so that it is never called
 * in the middle of itself; nor is it called by the handlers of a fork. Several threads may be in it
 * at the same time, and what one of them frees another may take. It must return.
 *
 * Who sets another has it return when no other thread is in the former one, whose context may be
 * freed then; so nobody may hold a lock meanwhile that the former one takes. Until then what a
 * limit refuses is refused at once. A handler may set another, and does not wait.
 *
 * Soft limits refuse nothing, and call nobody; nor does pa_extend. A child of fork has the handler
 * that its parent has. It is not called any more once the arena was destroyed.
 *
 * PA_REENTERED; PA_SYSTEM: the former one stays. */
PA_API pa_status pa_on_limit(pa_arena *arena, pa_limit_handler handler, void *context);

/* ---- Figures */

/* What an arena holds, and what it gave back since it was made; in bytes where the name says so.
 * What other threads and handles have at hand is told by 2 MiB each, and the last of it, under 1
 * MiB, not at all: so much more or less than there is may count as in use. */
typedef struct pa_statistics {
  uint32_t size;   /* sizeof(pa_statistics) */
  uint32_t unused; /* 0 */
  uint64_t reserved_bytes;
  uint64_t ready_bytes;               /* committed: in use + free resident + scavenged */
  uint64_t in_use_bytes;
  uint64_t inaccessible_bytes;        /* of those in use: inaccessible and empty */
  uint64_t free_maybe_resident_bytes;
  uint64_t cached_bytes;              /* free, at hand for threads and handles */
  uint64_t kept_long_bytes;           /* free, long runs kept whole */
  uint64_t quarantined_bytes;
  uint64_t scavenged_bytes;           /* free, and costs no memory */
  uint64_t maybe_resident_bytes;      /* what the limits bound */
  uint64_t largest_free_run_pages;
  uint64_t metadata_bytes;
  uint64_t sealed_bytes;
  uint64_t background_bytes;          /* given back by steps, or in the background */
  uint64_t requested_bytes;
  uint64_t limit_bytes;
  uint64_t headroom_bytes;
  uint64_t discarded_bytes;           /* by pa_discard, in runs that stayed in use */
  uint64_t refused_bytes;
  uint64_t lazy_bytes;                /* offered to the kernel */
  uint64_t passes;
  uint64_t call_nanoseconds;
  uint64_t background_nanoseconds;
  uint64_t background_elapsed_nanoseconds;
  uint64_t limit_refusals;
  uint64_t soft_limit_yields;
  uint64_t refused_advice;
} pa_statistics;

/* Writes the figures, as far as the caller's struct has room for them. O(1).
 *
 * PA_BAD_ARGUMENT; PA_BAD_SIZE where the size is not 16 to 4096, or no multiple of 8. */
PA_API pa_status pa_get_statistics(pa_arena *arena, pa_statistics *statistics);

/* Writes the figures as one JSON object in one line, closed by a zero byte: those of the struct,
 * and counts of calls, peaks and the longest committed run, by the names that Swift has for them.
 *
 * length: where to write how long the text is, without the zero, also where it does not fit; may
 * be NULL. buffer may be NULL where capacity is 0. PA_TRUNCATED: it holds as much as fits. */
PA_API pa_status pa_statistics_json(pa_arena *arena, char *buffer, size_t capacity, size_t *length);

/* Asks the kernel how many bytes of the arena's pages are in memory now: slow. */
PA_API pa_status pa_measure_resident(pa_arena *arena, uint64_t *bytes);

/* ---- fork, for arenas of PA_FORK_MANUAL; for others these do nothing */

/* Waits until nothing of the arena is being changed, and keeps it so until the fork is over. Once
 * more changes nothing. */
PA_API pa_status pa_fork_prepare(pa_arena *arena);

/* Lets others go on after a fork, in the parent. Does nothing where the thread holds no arena. */
PA_API pa_status pa_fork_parent(pa_arena *arena);

/* Makes the arena whole in the child of a fork. */
PA_API pa_status pa_fork_child(pa_arena *arena);

/* ---- Pools: more than the 4 GiB of an arena
 *
 * A pool makes arenas as it needs them, in address space that is reserved at once. A run lies in
 * one of them, and so has less than 4 GiB. Calls are as those of the same names about an arena, and
 * say the same of what is wrong. A pool has no cache handles, access rights or advice, and pa_find
 * does not look there. On a 32-bit host a pool has one arena, of up to 4 GiB. */

/* Makes a pool. options: as for pa_create, for each arena, but that reserve_bytes is the address
 * space of all of them, rounded up to a multiple of 4 GiB: up to 64 TiB, by default 64 GiB; on a
 * 32-bit host at most 4 GiB, which is the default there. Limits bound them all together. *pool is
 * NULL on failure. As pa_create. */
PA_API pa_status pa_pool_create(const pa_options *options, pa_pool **pool);

/* Ends a pool; all its memory goes, with the runs that are in use. NULL does nothing. */
PA_API void pa_pool_destroy(pa_pool *pool);

PA_API void *pa_pool_alloc(pa_pool *pool, size_t pages, pa_status *status);
PA_API void *pa_pool_alloc_with(pa_pool *pool, size_t pages, size_t alignment, uint32_t flags,
                                bool *is_zero, pa_status *status);
PA_API pa_status pa_pool_alloc_at(pa_pool *pool, void *first, size_t pages, uint32_t flags);

PA_API pa_status pa_pool_free(pa_pool *pool, void *first, size_t pages);
PA_API pa_status pa_pool_free_run(pa_pool *pool, void *run);
/* A range lies in one arena: none reaches over a multiple of 4 GiB. */
PA_API pa_status pa_pool_free_range(pa_pool *pool, void *first, size_t pages);
PA_API pa_status pa_pool_free_discarded(pa_pool *pool, void *first, size_t pages);

PA_API pa_status pa_pool_extend(pa_pool *pool, void *run, size_t pages, uint32_t flags);
/* It may move to another arena of the pool. */
PA_API void *pa_pool_resize(pa_pool *pool, void *run, size_t pages, uint32_t flags,
                            pa_status *status);

/* The run of the pool that an address lies in; run->arena is NULL. PA_NOT_IN_USE. */
PA_API pa_status pa_pool_find(pa_pool *pool, const void *address, pa_run *run);

PA_API pa_status pa_pool_discard(pa_pool *pool, void *first, size_t pages);
PA_API pa_status pa_pool_purge_lazy(pa_pool *pool, void *first, size_t pages);

PA_API pa_status pa_pool_release(pa_pool *pool, uint64_t bytes, uint64_t *released);
PA_API pa_status pa_pool_release_all(pa_pool *pool, uint64_t *released);
PA_API pa_status pa_pool_release_lazy(pa_pool *pool, uint64_t *offered);
/* One step in each arena. */
PA_API pa_status pa_pool_scavenge_step(pa_pool *pool, uint64_t *nanoseconds);

PA_API pa_status pa_pool_set_limits(pa_pool *pool, uint64_t soft_bytes, uint64_t hard_bytes);
PA_API pa_status pa_pool_set_group_limit(pa_pool *pool, double fraction);
PA_API pa_status pa_pool_get_limits(pa_pool *pool, uint64_t *soft_bytes, uint64_t *hard_bytes);
PA_API pa_status pa_pool_on_limit(pa_pool *pool, pa_limit_handler handler, void *context);

/* Sums of those of the arenas that were made; largest_free_run_pages is that of one of them. */
PA_API pa_status pa_pool_get_statistics(pa_pool *pool, pa_statistics *statistics);
PA_API pa_status pa_pool_statistics_json(pa_pool *pool, char *buffer, size_t capacity,
                                         size_t *length);
PA_API pa_status pa_pool_measure_resident(pa_pool *pool, uint64_t *bytes);

PA_API pa_status pa_pool_fork_prepare(pa_pool *pool);
PA_API pa_status pa_pool_fork_parent(pa_pool *pool);
PA_API pa_status pa_pool_fork_child(pa_pool *pool);

/* ---- Regions: address space of any size, committed on demand, which never moves. Ranges are in
 * bytes, from the region's start, and of whole pages of the kernel's. */

/* Reserves address space. flags: 0 or PA_WRITABLE_CODE_ALLOWED. *region is NULL on failure.
 *
 * PA_BAD_BYTE_COUNT, PA_BAD_GUARD, PA_NO_ADDRESS_SPACE, PA_TOO_MANY_MAPPINGS, PA_REENTERED. */
PA_API pa_status pa_region_create(size_t reserve_bytes, size_t guard_bytes, uint32_t flags,
                                  pa_region **region);

/* Gives all of it back. NULL does nothing. */
PA_API void pa_region_destroy(pa_region *region);

/* The address of its first byte; NULL for NULL. */
PA_API void *pa_region_start(const pa_region *region);

/* Up to where it has grown, in bytes, and how much of that is committed; 0 for NULL. */
PA_API size_t pa_region_size(const pa_region *region);
PA_API size_t pa_region_committed(const pa_region *region);

/* Makes more of it memory, which reads as zero; less than it has changes nothing.
 * PA_OUT_OF_BOUNDS, PA_SYSTEM. */
PA_API pa_status pa_region_grow(pa_region *region, size_t bytes);

/* Gives back what lies behind a size; more than it has changes nothing. */
PA_API pa_status pa_region_shrink(pa_region *region, size_t bytes);

/* Makes memory again of holes. PA_OUT_OF_BOUNDS, PA_PART_OF_KERNEL_PAGE, PA_TOO_MANY_HOLES. */
PA_API pa_status pa_region_commit(pa_region *region, size_t offset, size_t bytes);

/* Gives memory back, with its contents: it becomes a hole, where any access faults. */
PA_API pa_status pa_region_decommit(pa_region *region, size_t offset, size_t bytes);

/* Gives the contents back; the memory stays, and reads as zero. */
PA_API pa_status pa_region_discard(pa_region *region, size_t offset, size_t bytes);

/* Changes what memory may be used for: PA_ACCESS_... Also PA_NOT_COMMITTED, PA_WRITABLE_CODE. */
PA_API pa_status pa_region_protect(pa_region *region, size_t offset, size_t bytes,
                                   uint32_t access);

/* Makes it what it was when it had just grown to its size. */
PA_API pa_status pa_region_reset(pa_region *region);

#ifdef __cplusplus
}
#endif

#endif
