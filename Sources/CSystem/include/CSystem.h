#pragma once

#include <signal.h>
#include <sys/types.h>

// The child to launch. On Linux it shares the memory of its parent until execve(2), so this
// structure must stay valid until the child has ended.
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

// Creates a child that leads its own process group, has an empty standard input, waits at the
// barrier, and executes the program. It dies with its parent if the system supports that. If the
// program cannot be executed, the child prints a message and exits with status 127. Returns its ID,
// or -1 with errno.
pid_t launch_process(struct process_launch *launch);

// Starts the program `arguments[0]`, looked up in PATH, as the leader of its own session:
// posix_spawnp(3). It gets the given standard streams and signal mask, and does not ignore SIGPIPE
// or SIGXFSZ. A stream that is closed here becomes /dev/null. Returns its ID, or -1 with errno.
pid_t start_in_session(char *const *arguments, char *const *environment, const int streams[3],
                       const sigset_t *mask);

// Returns a descriptor that is readable while one of these signals, which must be blocked, is
// pending: signalfd(2). Returns -1 if the system does not support that.
int signal_file(const sigset_t *signals);

// Makes this process the parent of all descendants that lose theirs: prctl(2). Returns 0, or -1 if
// the system does not support that.
int adopt_orphans(void);

// Mounts a tmpfs(5) with room for `files` files on `path`, in a mount namespace that only this
// process and its children see. Without the privilege for that, it first enters a user namespace.
// Returns 0, or -1 with errno.
int mount_private_tmpfs(const char *path, long files);

// Returns the magic number of the file system of an open file, or -1 with errno: fstatfs(2).
long file_system_type(int descriptor);

// Returns the attributes of an open file (FS_IOC_GETFLAGS), or -1 with errno: ioctl_iflags(2).
long file_attributes(int descriptor);

// Watches the open directory until it is closed: F_NOTIFY of fcntl(2). Whenever any process
// creates, removes or renames an entry, the kernel queues a signal for this thread. Blocks the
// signal. Returns 0, or -1 with errno if the system does not support that.
int watch_entries(int directory);

// Takes the notices that arrived for this thread since watch_entries or the last call, and returns
// their number. Returns -1 if there were more than the kernel queues.
long entry_changes(void);

// Removes the signals that watch_entries blocks from the set.
void remove_entry_notices(sigset_t *signals);

// Returns when the file at `path` was created, in nanoseconds since 1970, without following a link:
// statx(2). Returns -1 with errno if that is unknown.
long long birth_time(const char *path);

// Reads the extended attribute `name` of an open file and returns its length, or -1 with errno:
// fgetxattr(2).
long get_attribute(int file, const char *name, void *value, size_t size);

// Sets the extended attribute `name` of an open file: fsetxattr(2). Returns 0, or -1 with errno.
int set_attribute(int file, const char *name, const void *value, size_t size);

// Renames the entry `old` of the open directory to `new_name`, and fails if that name exists:
// renameat2(2) with RENAME_NOREPLACE. Returns 0, or -1 with errno. If the file system does not
// support that, the check and the rename are two steps.
int rename_exclusively(int directory, const char *old, const char *new_name);

// Creates an unnamed file in memory, closed on execve(2): memfd_create(2). Elsewhere it is an
// unlinked temporary file. Returns a descriptor, or -1 with errno.
int memory_file(void);

// Calls `body` with `context`. If the main stack cannot grow to `size` bytes, `body` runs on a new
// stack of that size where the system supports it: getrlimit(2), makecontext(3). Call it once per
// process.
void run_on_stack(size_t size, void (*body)(void *), void *context);

// Returns the environment of this process: environ(7).
char **environment(void);
