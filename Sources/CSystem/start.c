// Replaces two parts of the Swift runtime that read /proc before main, in static executables on
// Linux. Both cost time at every start. Where /proc is missing or no descriptor is left, one aborts
// the process and the other loses its arguments.
//
// The symbols are weak: if a toolchain links the originals for another reason, those win. They are
// hidden: a dynamic executable, such as the test bundle, keeps those of libswiftCore.so.

#if defined(__linux__)
#include <features.h>
#endif

#if defined(__linux__) && defined(__GLIBC__)
#include <stdbool.h>
#include <stddef.h>

#define replacement __attribute__((weak, visibility("hidden")))

static int argument_count;
static char **arguments;

// The C library passes the arguments of main to constructors as well.
__attribute__((constructor)) static void keep_arguments(int count, char **values) {
  argument_count = count;
  arguments = values;
}

// The source of CommandLine.unsafeArgv. The runtime's own version finds the stack in /proc/self/maps.
replacement char **_swift_stdlib_getUnsafeArgvArgc(int *count) {
  *count = argument_count;
  return arguments;
}

// Crash backtraces: off. Their start-up code looks for the program swift-backtrace in eight places
// beside /proc/self/exe. These are all the symbols that the rest of the runtime uses from there. The
// first is a structure of settings, where zero means no.
replacement char _swift_backtraceSettings[1024];

replacement bool _swift_backtrace_isThunkFunction(const char *name) {
  (void)name;
  return false;
}

replacement char *_swift_backtrace_demangle(
    const char *name, size_t length, char *buffer, size_t *size) {
  (void)name, (void)length, (void)buffer, (void)size;
  return NULL;
}

#endif
