// The main stack can be small (ulimit -s). Reading, writing and freeing nested values is recursive,
// and the compiler decides how much stack each level takes.

#if defined(__linux__)
#define _GNU_SOURCE  // MAP_ANONYMOUS, MAP_STACK
#include <features.h>
#endif

#include "CSystem.h"

#if defined(__linux__) && defined(__GLIBC__)
#include <sys/mman.h>
#include <sys/resource.h>
#include <ucontext.h>

static void (*body_to_run)(void *);
static void *context_of_body;

static void run_body(void) { body_to_run(context_of_body); }

// Runs the body on a new stack, unless the main one is large enough. Returns whether it ran.
static int ran_elsewhere(size_t size) {
  static ucontext_t here, there;
  const size_t guard = 1 << 16;
  struct rlimit limit;
  if (getrlimit(RLIMIT_STACK, &limit) < 0 || limit.rlim_cur >= size) return 0;
  char *stack = mmap(NULL, guard + size, PROT_NONE,
                     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_STACK, -1, 0);
  if (stack == MAP_FAILED) return 0;
  if (mprotect(stack + guard, size, PROT_READ | PROT_WRITE) < 0) return 0;
  if (getcontext(&there) < 0) return 0;
  there.uc_stack.ss_sp = stack + guard;
  there.uc_stack.ss_size = size;
  there.uc_link = &here;
  makecontext(&there, run_body, 0);
  return swapcontext(&here, &there) == 0;
}
#endif

void run_on_stack(size_t size, void (*body)(void *), void *context) {
#if defined(__linux__) && defined(__GLIBC__)
  body_to_run = body;
  context_of_body = context;
  if (ran_elsewhere(size)) return;
#endif
  body(context);
}
