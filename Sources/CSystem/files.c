// File functions of the C library that Swift cannot import from its headers.

#if defined(__linux__)
#define _GNU_SOURCE  // F_SETSIG, F_SETOWN_EX, F_NOTIFY
#endif

#include "CSystem.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>
#if defined(__linux__)
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <time.h>
#endif

long file_system_type(int descriptor) {
#if defined(__linux__)
  struct statfs status;
  return fstatfs(descriptor, &status) < 0 ? -1 : (long)status.f_type;
#else
  (void)descriptor;
  errno = ENOTSUP;
  return -1;
#endif
}

long file_attributes(int descriptor) {
#if defined(__linux__)
  long attributes = 0;
  return ioctl(descriptor, FS_IOC_GETFLAGS, &attributes) < 0 ? -1 : attributes;
#else
  (void)descriptor;
  errno = ENOTSUP;
  return -1;
#endif
}

#if defined(__linux__)
// Realtime signals are queued, so none is lost. When the queue is full, the kernel sends SIGIO
// instead.
static sigset_t notices(void) {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGRTMIN);
  sigaddset(&signals, SIGIO);
  return signals;
}
#endif

int watch_entries(int directory) {
#if defined(__linux__)
  sigset_t signals = notices();
  if (sigprocmask(SIG_BLOCK, &signals, NULL) < 0) return -1;
  entry_changes();
  // Sent to another thread, which does not block it, the signal would end the process.
  struct f_owner_ex thread = {F_OWNER_TID, (pid_t)syscall(SYS_gettid)};
  if (fcntl(directory, F_SETOWN_EX, &thread) < 0) return -1;
  if (fcntl(directory, F_SETSIG, SIGRTMIN) < 0) return -1;
  return fcntl(directory, F_NOTIFY, DN_CREATE | DN_DELETE | DN_RENAME | DN_MULTISHOT);
#else
  (void)directory;
  errno = ENOTSUP;
  return -1;
#endif
}

void remove_entry_notices(sigset_t *signals) {
#if defined(__linux__)
  sigdelset(signals, SIGRTMIN);
  sigdelset(signals, SIGIO);
#else
  (void)signals;
#endif
}

long entry_changes(void) {
#if defined(__linux__)
  sigset_t signals = notices();
  const struct timespec at_once = {0, 0};
  long count = 0;
  int overflow = 0;
  while (1) {
    int taken = sigtimedwait(&signals, NULL, &at_once);
    if (taken == SIGIO) overflow = 1;
    if (taken == SIGRTMIN) count += 1;
    if (taken < 0 && errno != EINTR) return overflow ? -1 : count;
  }
#else
  return -1;
#endif
}

long long birth_time(const char *path) {
#if defined(__linux__)
  struct statx status;
  if (statx(AT_FDCWD, path, AT_SYMLINK_NOFOLLOW, STATX_BTIME, &status) < 0) return -1;
  if (status.stx_mask & STATX_BTIME) {
    return (long long)status.stx_btime.tv_sec * 1000000000 + status.stx_btime.tv_nsec;
  }
#elif defined(__APPLE__)
  struct stat status;
  if (lstat(path, &status) < 0) return -1;
  return (long long)status.st_birthtimespec.tv_sec * 1000000000 + status.st_birthtimespec.tv_nsec;
#endif
  (void)path;
  errno = ENOTSUP;
  return -1;
}

// macOS adds a position and options.
long get_attribute(int file, const char *name, void *value, size_t size) {
#if defined(__APPLE__)
  return fgetxattr(file, name, value, size, 0, 0);
#else
  return fgetxattr(file, name, value, size);
#endif
}

int set_attribute(int file, const char *name, const void *value, size_t size) {
#if defined(__APPLE__)
  return fsetxattr(file, name, value, size, 0, 0);
#else
  return fsetxattr(file, name, value, size, 0);
#endif
}

int rename_exclusively(int directory, const char *old, const char *new_name) {
#if defined(__linux__)
  // By its number, because not every C library has the function. 1 is RENAME_NOREPLACE.
  int done = (int)syscall(SYS_renameat2, directory, old, directory, new_name, 1);
#elif defined(__APPLE__)
  int done = renameatx_np(directory, old, directory, new_name, RENAME_EXCL);
#else
  int done = -1;
  errno = ENOSYS;
#endif
  if (done == 0 || (errno != EINVAL && errno != ENOSYS && errno != ENOTSUP)) return done;
  struct stat status;
  if (fstatat(directory, new_name, &status, AT_SYMLINK_NOFOLLOW) == 0) {
    errno = EEXIST;
    return -1;
  }
  return renameat(directory, old, directory, new_name);
}

int memory_file(void) {
#if defined(__linux__)
  return memfd_create("memory_file", MFD_CLOEXEC);
#else
  char path[] = "/tmp/memory_file.XXXXXX";
  int file = mkstemp(path);
  if (file < 0) return -1;
  unlink(path);
  fcntl(file, F_SETFD, FD_CLOEXEC);
  return file;
#endif
}

extern char **environ;

char **environment(void) { return environ; }
