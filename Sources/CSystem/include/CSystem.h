#pragma once

#include <signal.h>
#include <sys/types.h>

// What a child does between its creation and execve(2). On Linux it shares the memory of its parent
// until then, so all of this has to stay where it is until the child has ended.
struct process_launch {
  const char *program;     // path of the executable
  char *const *arguments;  // argv, NULL at the end
  int output;              // becomes standard output
  int error;               // becomes standard error
  int barrier_read;        // end of file here is the start signal
  int barrier_write;       // the child closes its copy of the other end
  long descriptor_limit;   // RLIMIT_NOFILE, or -1 for that of the parent
  pid_t parent;            // filled in by launch_process
  void *stack;             // for the child alone, LAUNCH_STACK bytes, aligned to 16
};

enum { LAUNCH_STACK = 1 << 15 };

// Creates a child that leads a process group of its own, reads nothing from standard input, waits at
// the barrier, and executes the program. It dies with its parent where the system can do that.
// Returns its id, or -1 with errno. A program that cannot be executed ends the child with code 127
// and a message.
pid_t launch_process(struct process_launch *launch);

// Starts the program that is found in PATH by the name `arguments[0]`, as the leader of a session of
// its own, with the three standard streams and the signal mask given, and neither SIGPIPE nor SIGXFSZ
// ignored: posix_spawnp(3). In place of a stream that is closed here, the program gets /dev/null.
// Returns its id, or -1 with errno.
pid_t start_in_session(char *const *arguments, char *const *environment, const int streams[3],
                       const sigset_t *mask);

// A descriptor that is readable while one of these signals waits, which must be blocked: signalfd(2). -1
// where the system has none.
int signal_file(const sigset_t *signals);

// Makes this process the parent of all its descendants whose own parent ends: prctl(2). Returns 0,
// or -1 where the system cannot do that.
int adopt_orphans(void);

// Mounts a tmpfs(5) with room for so many files on `path`, in a mount namespace that only this
// process and its children see; without the privilege to do so, in a user namespace, too. Returns 0,
// or -1 with errno.
int mount_private_tmpfs(const char *path, long files);

// The magic number of the file system of an open file, see statfs(2); -1 with errno where that cannot
// be said.
long file_system_type(int descriptor);

// The attributes of an open file (FS_IOC_GETFLAGS of ioctl(2)), see ioctl_iflags(2); -1 with errno
// where there are none.
long file_attributes(int descriptor);

// Has the kernel queue a signal for this thread whenever somebody makes, removes or renames an entry
// of the open directory, until the descriptor is closed: F_NOTIFY of fcntl(2). The signal is blocked
// from now on. Returns 0, or -1 with errno where there is no such notice.
int watch_entries(int directory);

// Takes the notices that came for this thread since watch_entries or the last call, and returns their
// number; -1 when there were more than the kernel queues.
long entry_changes(void);

// Takes the signals that watch_entries blocks out of the set.
void remove_entry_notices(sigset_t *signals);

// When the file at `path`, a link not followed, was born, in nanoseconds since 1970: statx(2). -1 with
// errno where that is not known.
long long birth_time(const char *path);

// The extended attribute of an open file, and its length: fgetxattr(2). -1 with errno.
long get_attribute(int file, const char *name, void *value, size_t size);

// Sets the extended attribute of an open file: fsetxattr(2). Returns 0, or -1 with errno.
int set_attribute(int file, const char *name, const void *value, size_t size);

// Gives the entry `old` of the open directory the name `new`, which nothing may have: renameat2(2) with
// RENAME_NOREPLACE. Returns 0, or -1 with errno; where the file system cannot do that, it is looked for
// first.
int rename_exclusively(int directory, const char *old, const char *new_name);

// A file in memory that no path leads to and that is closed in children: memfd_create(2), else a
// temporary file. -1 with errno.
int memory_file(void);

// Calls `body` with `context`: on a stack of `size` bytes where the main one may not become that large and
// the system can do that: getrlimit(2), makecontext(3). Once per process.
void run_on_stack(size_t size, void (*body)(void *), void *context);

// The environment of this process: environ(7).
char **environment(void);
