// Replaces two parts of the Swift runtime that look around in /proc before main, in static
// executables on Linux. Both cost time at every start; and where /proc is missing or a descriptor
// cannot be had, the one aborts the process and the other loses its arguments.
//
// The symbols are weak: where a toolchain brings the originals in for another reason, those win.

#if defined(__linux__)
#include <features.h>
#endif

#if defined(__linux__) && defined(__GLIBC__)
#include <stdbool.h>
#include <stddef.h>

static int argument_count;
static char **arguments;

// The C library hands the arguments of main to constructors as well.
__attribute__((constructor)) static void keep_arguments(int count, char **values) {
  argument_count = count;
  arguments = values;
}

// The source of CommandLine.unsafeArgv. The runtime's own finds the stack in /proc/self/maps.
__attribute__((weak)) char **_swift_stdlib_getUnsafeArgvArgc(int *count) {
  *count = argument_count;
  return arguments;
}

// Backtraces of crashes: off. Their own start-up code looks for the program swift-backtrace in
// eight places beside /proc/self/exe. These are all the symbols that the rest of the runtime takes
// from there; the first is a structure of settings, of which zero says no.
__attribute__((weak)) char _swift_backtraceSettings[1024];

__attribute__((weak)) bool _swift_backtrace_isThunkFunction(const char *name) {
  (void)name;
  return false;
}

__attribute__((weak)) char *_swift_backtrace_demangle(
    const char *name, size_t length, char *buffer, size_t *size) {
  (void)name, (void)length, (void)buffer, (void)size;
  return NULL;
}

#endif
