// The C library as far as this module uses it, and CSystem. No other file imports them. The names
// follow swift-system's internals:
//
//   libc_fsync      the function fsync(2)
//   _O_RDONLY       the constant O_RDONLY
//   CInterop.Stat   the type struct stat
//
// A release build pays nothing for this: constants are folded, and calls go straight to C. If no
// caller uses the result of a function, its wrapper returns none. Signal handlers may call the
// wrappers declared with `func`: a debug build initializes a `let` at its first use.

// swift-format-ignore-file: AlwaysUseLowerCamelCase

import CSystem

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

// MARK: Types

enum CInterop {
  typealias CalendarTime = tm
  typealias DirectoryEntry = dirent
  typealias FileSystemStatus = statvfs
  typealias IntervalTimer = itimerval
  typealias Mode = mode_t
  typealias Offset = off_t
  typealias PollRequest = pollfd
  typealias RegularExpression = regex_t
  typealias ResourceUsage = rusage
  typealias SignalAction = sigaction
  typealias SignalHandler = @convention(c) (Int32) -> Void
  typealias SignalInformation = siginfo_t
  typealias SignalSet = sigset_t
  typealias Stat = stat
  typealias SystemNames = utsname
  typealias TimeSpecification = timespec
  typealias TimeValue = timeval
  typealias WindowSize = winsize
  #if canImport(Darwin)
    typealias DirectoryStream = UnsafeMutablePointer<DIR>
  #else
    typealias DirectoryStream = OpaquePointer
  #endif
}

// Fields that the platforms name differently.
#if canImport(Darwin)
  extension stat {
    var modificationTime: timespec { st_mtimespec }
    var changeTime: timespec { st_ctimespec }
  }

  extension sigaction {
    var handler: CInterop.SignalHandler? {
      get { __sigaction_u.__sa_handler }
      set { __sigaction_u.__sa_handler = newValue }
    }
  }
#else
  extension stat {
    var modificationTime: timespec { st_mtim }
    var changeTime: timespec { st_ctim }
  }

  extension sigaction {
    var handler: CInterop.SignalHandler? {
      get { __sigaction_handler.sa_handler }
      set { __sigaction_handler.sa_handler = newValue }
    }
  }
#endif

// MARK: Constants

// Opening files, and descriptors.
let _O_APPEND = O_APPEND
let _O_CLOEXEC = O_CLOEXEC
let _O_CREAT = O_CREAT
let _O_DIRECTORY = O_DIRECTORY
let _O_EXCL = O_EXCL
let _O_NOFOLLOW = O_NOFOLLOW
let _O_NONBLOCK = O_NONBLOCK
let _O_RDONLY = O_RDONLY
let _O_RDWR = O_RDWR
let _O_WRONLY = O_WRONLY
let _AT_FDCWD = AT_FDCWD
let _AT_REMOVEDIR = AT_REMOVEDIR
let _AT_SYMLINK_NOFOLLOW = AT_SYMLINK_NOFOLLOW
let _F_DUPFD_CLOEXEC = F_DUPFD_CLOEXEC
let _F_SETFD = F_SETFD
let _FD_CLOEXEC = FD_CLOEXEC
let _FIONREAD = UInt(FIONREAD)
let _LOCK_EX = LOCK_EX
let _LOCK_NB = LOCK_NB
let _POLLIN = POLLIN
let _POLLOUT = POLLOUT
let _SEEK_CUR = SEEK_CUR
let _SEEK_SET = SEEK_SET
let _STDERR_FILENO = STDERR_FILENO
let _TIOCGWINSZ = UInt(TIOCGWINSZ)

// Kinds of files, access, limits.
var _S_IFMT: mode_t { S_IFMT }
var _S_IFDIR: mode_t { S_IFDIR }
var _S_IFIFO: mode_t { S_IFIFO }
var _S_IFLNK: mode_t { S_IFLNK }
var _S_IFREG: mode_t { S_IFREG }
var _S_IFSOCK: mode_t { S_IFSOCK }
let _DT_DIR = UInt8(DT_DIR)
let _DT_FIFO = UInt8(DT_FIFO)
let _DT_LNK = UInt8(DT_LNK)
let _DT_REG = UInt8(DT_REG)
let _DT_SOCK = UInt8(DT_SOCK)
let _DT_UNKNOWN = UInt8(DT_UNKNOWN)
let _F_OK = F_OK
let _X_OK = X_OK
let _NAME_MAX = NAME_MAX
let _PATH_MAX = PATH_MAX
let _PIPE_BUF = PIPE_BUF

// Signals and processes.
let _SIGALRM = SIGALRM
let _SIGCHLD = SIGCHLD
let _SIGCONT = SIGCONT
let _SIGHUP = SIGHUP
let _SIGINT = SIGINT
let _SIGKILL = SIGKILL
let _SIGPIPE = SIGPIPE
let _SIGQUIT = SIGQUIT
let _SIGSTOP = SIGSTOP
let _SIGTERM = SIGTERM
let _SIGXFSZ = SIGXFSZ
let _SIG_BLOCK = SIG_BLOCK
let _SIG_SETMASK = SIG_SETMASK
let _SIG_UNBLOCK = SIG_UNBLOCK
var _SIG_IGN: CInterop.SignalHandler? { SIG_IGN }
let _P_ALL = P_ALL
let _WEXITED = WEXITED
let _WNOHANG = WNOHANG
let _WNOWAIT = WNOWAIT

// The system, clocks, regular expressions.
let __SC_NPROCESSORS_ONLN = Int32(_SC_NPROCESSORS_ONLN)
let _CLOCK_MONOTONIC = CLOCK_MONOTONIC
#if canImport(Glibc)
  let _ITIMER_REAL = __itimer_which_t(ITIMER_REAL.rawValue)
  let _RUSAGE_CHILDREN = __rusage_who_t(RUSAGE_CHILDREN.rawValue)
  let _RUSAGE_SELF = __rusage_who_t(RUSAGE_SELF.rawValue)
#else
  let _ITIMER_REAL = ITIMER_REAL
  let _RUSAGE_CHILDREN = RUSAGE_CHILDREN
  let _RUSAGE_SELF = RUSAGE_SELF
#endif
#if os(Linux)
  let _MNT_DETACH = Int32(MNT_DETACH)
#endif
let _REG_EXTENDED = REG_EXTENDED
let _REG_NOSUB = REG_NOSUB

// Errors.
let _EACCES = EACCES
let _EBADF = EBADF
let _ECHILD = ECHILD
let _EDQUOT = EDQUOT
let _EEXIST = EEXIST
let _EFBIG = EFBIG
let _EINTR = EINTR
let _EINVAL = EINVAL
let _EIO = EIO
let _EISDIR = EISDIR
let _ELOOP = ELOOP
let _EMFILE = EMFILE
let _EMLINK = EMLINK
let _ENAMETOOLONG = ENAMETOOLONG
let _ENFILE = ENFILE
let _ENOENT = ENOENT
let _ENOLCK = ENOLCK
let _ENOSPC = ENOSPC
let _ENOSYS = ENOSYS
let _ENOTDIR = ENOTDIR
let _ENXIO = ENXIO
let _EOPNOTSUPP = EOPNOTSUPP
let _EPERM = EPERM
let _EPIPE = EPIPE
let _ERANGE = ERANGE
let _EROFS = EROFS
let _ESRCH = ESRCH
let _EWOULDBLOCK = EWOULDBLOCK

// MARK: Calls

// Descriptors.
func libc_open(_ path: UnsafePointer<CChar>, _ flags: Int32, _ mode: mode_t) -> Int32 {
  open(path, flags, mode)
}
func libc_openat(_ directory: Int32, _ path: UnsafePointer<CChar>, _ flags: Int32) -> Int32 {
  openat(directory, path, flags)
}
func libc_openat(
  _ directory: Int32, _ path: UnsafePointer<CChar>, _ flags: Int32, _ mode: mode_t
) -> Int32 {
  openat(directory, path, flags, mode)
}
func libc_close(_ file: Int32) { close(file) }
func libc_fcntl(_ file: Int32, _ command: Int32, _ value: Int32) -> Int32 {
  fcntl(file, command, value)
}
func libc_ioctl(_ file: Int32, _ request: UInt, _ value: UnsafeMutableRawPointer) -> Int32 {
  ioctl(file, request, value)
}
let libc_flock = flock
let libc_fsync = fsync
let libc_ftruncate = ftruncate
let libc_isatty = isatty
let libc_lseek = lseek
let libc_pipe = pipe
let libc_poll = poll
let libc_pread = pread
let libc_pwrite = pwrite
let libc_read = read
let libc_write = write

// The status of a file.
func libc_stat(_ path: UnsafePointer<CChar>, _ status: inout CInterop.Stat) -> Int32 {
  stat(path, &status)
}
func libc_statvfs(_ path: UnsafePointer<CChar>, _ status: inout CInterop.FileSystemStatus) -> Int32
{
  statvfs(path, &status)
}
let libc_access = access
let libc_fchmod = fchmod
let libc_fchown = fchown
let libc_fstat = fstat
let libc_fstatat = fstatat
let libc_lstat = lstat
@discardableResult func libc_umask(_ mask: mode_t) -> mode_t { umask(mask) }

// Directories and names.
func libc_closedir(_ stream: CInterop.DirectoryStream) { closedir(stream) }
let libc_fdopendir = fdopendir
let libc_linkat = linkat
let libc_mkdir = mkdir
let libc_mkdirat = mkdirat
let libc_mkdtemp = mkdtemp
let libc_readdir = readdir
let libc_readlink = readlink
let libc_realpath = realpath
let libc_renameat = renameat
let libc_symlinkat = symlinkat
let libc_unlinkat = unlinkat
#if os(Linux)
  let libc_umount2 = umount2
#endif

// Processes.
@discardableResult func libc_kill(_ process: pid_t, _ signal: Int32) -> Int32 {
  kill(process, signal)
}
func libc_setpgid(_ process: pid_t, _ group: pid_t) { setpgid(process, group) }
func libc__exit(_ status: Int32) -> Never { _exit(status) }
let libc_exit = exit
let libc_getpgid = getpgid
let libc_getpid = getpid
let libc_geteuid = geteuid
let libc_waitid = waitid
let libc_waitpid = waitpid

// Signals.
func libc_sigaction(
  _ signal: Int32, _ new: UnsafePointer<sigaction>?, _ old: UnsafeMutablePointer<sigaction>?
) {
  sigaction(signal, new, old)
}
func libc_sigaddset(_ set: inout sigset_t, _ signal: Int32) { sigaddset(&set, signal) }
func libc_sigdelset(_ set: inout sigset_t, _ signal: Int32) { sigdelset(&set, signal) }
func libc_sigemptyset(_ set: inout sigset_t) { sigemptyset(&set) }
func libc_signal(_ number: Int32, _ handler: CInterop.SignalHandler?) { signal(number, handler) }
func libc_sigpending(_ set: inout sigset_t) { sigpending(&set) }
func libc_sigprocmask(
  _ how: Int32, _ new: UnsafePointer<sigset_t>?, _ old: UnsafeMutablePointer<sigset_t>?
) {
  sigprocmask(how, new, old)
}
let libc_setitimer = setitimer
let libc_sigismember = sigismember
let libc_sigwait = sigwait

// The system, clocks, errors, memory.
var libc_errno: Int32 {
  get { errno }
  set { errno = newValue }
}
func libc_clock_gettime(_ clock: clockid_t, _ time: inout timespec) { clock_gettime(clock, &time) }
func libc_getrusage(_ who: Int32, _ usage: inout rusage) { getrusage(who, &usage) }
func libc_gmtime_r(_ time: inout time_t, _ fields: inout tm) { gmtime_r(&time, &fields) }
func libc_nanosleep(_ time: inout timespec) { nanosleep(&time, nil) }
func libc_uname(_ names: inout utsname) { uname(&names) }
let libc_free = free
let libc_getenv = getenv
let libc_strdup = strdup
let libc_strerror = strerror
let libc_strlen = strlen
let libc_sysconf = sysconf
let libc_time = time

// Regular expressions.
func libc_regerror(
  _ code: Int32, _ expression: inout regex_t, _ text: UnsafeMutablePointer<CChar>, _ size: Int
) {
  regerror(code, &expression, text, size)
}
let libc_regcomp = regcomp
let libc_regexec = regexec
let libc_regfree = regfree

// The functions of CSystem, see CSystem.h.
typealias process_launch = CSystem.process_launch
let _LAUNCH_STACK = Int(LAUNCH_STACK)
let adopt_orphans = CSystem.adopt_orphans
let birth_time = CSystem.birth_time
let entry_changes = CSystem.entry_changes
let environment = CSystem.environment
let file_attributes = CSystem.file_attributes
let file_system_type = CSystem.file_system_type
let get_attribute = CSystem.get_attribute
let launch_process = CSystem.launch_process
let memory_file = CSystem.memory_file
let mount_private_tmpfs = CSystem.mount_private_tmpfs
let remove_entry_notices = CSystem.remove_entry_notices
let rename_exclusively = CSystem.rename_exclusively
let run_on_stack = CSystem.run_on_stack
let set_attribute = CSystem.set_attribute
let signal_file = CSystem.signal_file
let start_in_session = CSystem.start_in_session
let watch_entries = CSystem.watch_entries
