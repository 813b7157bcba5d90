// Between its creation and execve(2), a child may call only async-signal-safe functions, which
// rules out Swift. posix_spawn(3) returns only when the program runs, so no child could wait at a
// barrier. fork(2) copies page tables, which took as long as everything else that the parent did.
//
// On Linux, launch_process therefore does what posix_spawn does inside, but without waiting: the
// child runs in the parent's memory, on its own stack. Parent and child also share errno, which the
// child writes only if execve(2) fails.

#if defined(__linux__)
#define _GNU_SOURCE  // clone, unshare, POSIX_SPAWN_SETSID
#endif

#include "CSystem.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>
#if defined(__linux__)
#include <sched.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#endif

static void say(const char *text) {
  if (write(STDERR_FILENO, text, strlen(text)) < 0) return;
}

static int run(void *argument) {
  const struct process_launch *launch = argument;
  setpgid(0, 0);
#if defined(__linux__)
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != launch->parent) _exit(127);
#endif
  close(launch->barrier_write);
  int input = open("/dev/null", O_RDONLY);
  if (input > 0) {
    dup2(input, STDIN_FILENO);
    close(input);
  }
  dup2(launch->output, STDOUT_FILENO);
  dup2(launch->error, STDERR_FILENO);
  signal(SIGPIPE, SIG_DFL);
  signal(SIGXFSZ, SIG_DFL);
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, NULL);

  char byte;
  while (read(launch->barrier_read, &byte, 1) < 0 && errno == EINTR) continue;
  if (launch->descriptor_limit >= 0) {
    struct rlimit limit = {(rlim_t)launch->descriptor_limit, (rlim_t)launch->descriptor_limit};
    setrlimit(RLIMIT_NOFILE, &limit);
  }
  execv(launch->program, launch->arguments);
  const char *reason = strerror(errno);
  say("cannot execute ");
  say(launch->program);
  say(": ");
  say(reason);
  say("\n");
  _exit(127);
}

pid_t launch_process(struct process_launch *launch) {
  launch->parent = getpid();
#if defined(__linux__)
  return clone(run, (char *)launch->stack + LAUNCH_STACK, CLONE_VM | SIGCHLD, launch);
#else
  pid_t child = fork();
  if (child == 0) run(launch);
  return child;
#endif
}

pid_t start_in_session(char *const *arguments, char *const *environment, const int streams[3],
                       const sigset_t *mask) {
  posix_spawn_file_actions_t actions;
  posix_spawnattr_t attributes;
  pid_t child;
  errno = posix_spawn_file_actions_init(&actions);
  if (errno) return -1;
  errno = posix_spawnattr_init(&attributes);
  if (errno) {
    posix_spawn_file_actions_destroy(&actions);
    return -1;
  }
  int failure = 0;
  for (int stream = 0; stream < 3 && !failure; stream++) {
    int is_open = fcntl(streams[stream], F_GETFD) >= 0;
    failure = is_open ? posix_spawn_file_actions_adddup2(&actions, streams[stream], stream)
                      : posix_spawn_file_actions_addopen(&actions, stream, "/dev/null", O_RDWR, 0);
  }
  posix_spawnattr_setsigmask(&attributes, mask);
  // The programs of this package ignore these signals, and their children would inherit that.
  sigset_t ignored;
  sigemptyset(&ignored);
  sigaddset(&ignored, SIGPIPE);
  sigaddset(&ignored, SIGXFSZ);
  posix_spawnattr_setsigdefault(&attributes, &ignored);
  posix_spawnattr_setflags(
      &attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSID);
  if (!failure) {
    failure = posix_spawnp(&child, arguments[0], &actions, &attributes, arguments, environment);
  }
  posix_spawnattr_destroy(&attributes);
  posix_spawn_file_actions_destroy(&actions);
  errno = failure;
  return failure ? -1 : child;
}

#if defined(__linux__)
static int write_file(const char *path, const char *text) {
  int file = open(path, O_WRONLY | O_CLOEXEC);
  if (file < 0) return -1;
  ssize_t written = write(file, text, strlen(text));
  close(file);
  return written < 0 ? -1 : 0;
}

// Makes the user root in a new user namespace: user_namespaces(7).
static int enter_user_namespace(void) {
  char users[64], groups[64];
  snprintf(users, sizeof users, "0 %ld 1\n", (long)geteuid());
  snprintf(groups, sizeof groups, "0 %ld 1\n", (long)getegid());
  if (unshare(CLONE_NEWUSER | CLONE_NEWNS) < 0) return -1;
  if (write_file("/proc/self/setgroups", "deny") < 0) return -1;
  if (write_file("/proc/self/uid_map", users) < 0) return -1;
  return write_file("/proc/self/gid_map", groups);
}
#endif

int mount_private_tmpfs(const char *path, long files) {
#if defined(__linux__)
  if (unshare(CLONE_NEWNS) < 0 && enter_user_namespace() < 0) return -1;
  if (mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0) return -1;
  char options[64];
  snprintf(options, sizeof options, "size=64m,nr_inodes=%ld", files);
  return mount("tmpfs", path, "tmpfs", 0, options);
#else
  (void)path, (void)files;
  errno = ENOTSUP;
  return -1;
#endif
}

int adopt_orphans(void) {
#if defined(__linux__)
  return prctl(PR_SET_CHILD_SUBREAPER, 1);
#else
  errno = ENOSYS;
  return -1;
#endif
}

int signal_file(const sigset_t *signals) {
#if defined(__linux__)
  return signalfd(-1, signals, SFD_CLOEXEC);
#else
  (void)signals;
  errno = ENOSYS;
  return -1;
#endif
}
