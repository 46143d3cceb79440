/* The signal of a fault: our word first, then whatever was set up before. */
#ifndef CDG_FAULTS_H
#define CDG_FAULTS_H

#include "trace.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <ucontext.h>
#include <unistd.h>

/* What was tried at the address of a fault, as far as the processor says. */
enum { CDG_ACCESS = 0, CDG_READ = 1, CDG_WRITE = 2 };

/* Is told of a fault: where it happened, what was tried there, and the calls that the thread was
 * inside of. */
typedef void (*cdg_reporter)(uintptr_t address, int access, const uintptr_t *calls, size_t count);

/* What was set up before for SIGSEGV and SIGBUS, whether we are set up, and who is told. */
extern struct sigaction cdg_previous[2] __attribute__((visibility("hidden")));
extern int cdg_is_set_up[2] __attribute__((visibility("hidden")));
extern cdg_reporter cdg_current_reporter __attribute__((visibility("hidden")));
/* This thread is in the reporter: what it meets there is not reported. */
extern __thread volatile int cdg_is_reporting
    __attribute__((tls_model("initial-exec"), visibility("hidden")));

static inline int cdg_signal(int index) { return index == 0 ? SIGSEGV : SIGBUS; }

/* What a thread tried that faulted, from the registers that the kernel has saved. */
static inline int cdg_access(const void *context) {
  const ucontext_t *saved = (const ucontext_t *)context;
#if defined(__x86_64__)
  /* REG_ERR, which has a name only for GNU sources: bit 1 of the error code is set by a write. */
  return saved->uc_mcontext.gregs[19] & 2 ? CDG_WRITE : CDG_READ;
#elif defined(__i386__)
  return saved->uc_mcontext.gregs[13] & 2 ? CDG_WRITE : CDG_READ;
#elif defined(__arm__)
  /* The fault status: bit 11 is set by a write. Of a fault it is not 0, but an emulator says so. */
  if (saved->uc_mcontext.error_code == 0) return CDG_ACCESS;
  return saved->uc_mcontext.error_code & 0x800 ? CDG_WRITE : CDG_READ;
#elif defined(__aarch64__)
  /* Records of a magic number and a length; the one of the syndrome may be missing. */
  const unsigned char *record = saved->uc_mcontext.__reserved;
  const unsigned char *end = record + sizeof saved->uc_mcontext.__reserved;
  while (end - record >= 16) {
    uint32_t head[2];
    uint64_t syndrome;
    memcpy(head, record, sizeof head);
    memcpy(&syndrome, record + 8, sizeof syndrome);
    if (head[0] == 0x45535201) {
      /* A data abort: its bit 6 is set by a write. */
      if ((syndrome >> 27 & 0x1f) != 0x12) return CDG_ACCESS;
      return syndrome & 0x40 ? CDG_WRITE : CDG_READ;
    }
    if (head[1] == 0 || head[1] > (size_t)(end - record)) break;
    record += head[1];
  }
  return CDG_ACCESS;
#else
  (void)saved;
  return CDG_ACCESS;
#endif
}

static inline void cdg_hand_on(int index, siginfo_t *info, void *context) {
  const struct sigaction *before = &cdg_previous[index];
  if (before->sa_flags & SA_SIGINFO) {
    before->sa_sigaction(cdg_signal(index), info, context);
  } else if (before->sa_handler != SIG_DFL && before->sa_handler != SIG_IGN) {
    before->sa_handler(cdg_signal(index));
  } else {
    /* The instruction faults again when we return, and meets what there was: the end. */
    (void)sigaction(cdg_signal(index), before, NULL);
    if (info->si_code <= 0) {
      /* Somebody sent it: nothing would happen again by itself. */
      (void)syscall(SYS_tgkill, getpid(), (int)syscall(SYS_gettid), cdg_signal(index));
    }
  }
}

static inline void cdg_on_fault(int signal, siginfo_t *info, void *context) {
  int error = errno;
  /* Positive: from the kernel, for an address. */
  if (info->si_code > 0 && !cdg_is_reporting) {
    uintptr_t calls[16];
    cdg_is_reporting = 1;
    /* The first two are this function and what the kernel has it return to. */
    size_t count = cdg_trace(calls, sizeof calls / sizeof *calls);
    cdg_current_reporter((uintptr_t)info->si_addr, cdg_access(context), calls + 2,
                         count > 2 ? count - 2 : 0);
    cdg_is_reporting = 0;
  }
  errno = error;
  cdg_hand_on(signal == SIGSEGV ? 0 : 1, info, context);
}

/* Has every fault (SIGSEGV, SIGBUS) of the process told to `report`, on the faulting thread, in a
 * signal handler; then what was set up before happens. 0, or an errno value. The last one counts.
 *
 * Whoever set up a handler after ours, another copy of this library perhaps, hands on to ours: to
 * come before it again would have each hand on to the other for ever. Only where all handlers were
 * taken away ours is set up anew. */
static inline int cdg_catch_faults(cdg_reporter report) {
  __atomic_store_n(&cdg_current_reporter, report, __ATOMIC_RELEASE);
  for (int i = 0; i < 2; i++) {
    struct sigaction now;
    if (sigaction(cdg_signal(i), NULL, &now) != 0) return errno;
    int is_ours = (now.sa_flags & SA_SIGINFO) && now.sa_sigaction == cdg_on_fault;
    int is_free = !(now.sa_flags & SA_SIGINFO) &&
                  (now.sa_handler == SIG_DFL || now.sa_handler == SIG_IGN);
    int was_set_up = __atomic_load_n(&cdg_is_set_up[i], __ATOMIC_ACQUIRE);
    if (is_ours || (was_set_up && !is_free)) continue;
    cdg_previous[i] = now;
    struct sigaction ours;
    memset(&ours, 0, sizeof ours);
    ours.sa_sigaction = cdg_on_fault;
    /* As the one before expects to be called: it may want to fault itself, and survive. */
    ours.sa_mask = now.sa_mask;
    ours.sa_flags = SA_SIGINFO | SA_ONSTACK | (now.sa_flags & (SA_NODEFER | SA_RESTART));
    if (sigaction(cdg_signal(i), &ours, NULL) != 0) return errno;
    __atomic_store_n(&cdg_is_set_up[i], 1, __ATOMIC_RELEASE);
  }
  return 0;
}

/* Ends the process at once: nothing that was registered for its end is done. */
static inline _Noreturn void cdg_end_process(int status) { _exit(status); }

/* Waits for a tenth of a millisecond; safe in a signal handler. */
static inline void cdg_pause(void) {
  struct timespec time = {0, 100000};
  (void)nanosleep(&time, NULL);
}

#endif
