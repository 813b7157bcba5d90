// Usage: peer ROOT NAME
//
// Does what topic-alloc does in the usual case: the same system calls in the same order, the same
// record of the highest number, the same output. It takes no options and prints no errors. It exists
// to be measured, and can number beside topic-alloc. With -DVERSION_0_1, it keeps its record where
// version 0.1 did, in the contents of the lock file.

#define _GNU_SOURCE

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/utsname.h>
#include <sys/xattr.h>
#include <time.h>
#include <unistd.h>

#if defined(VERSION_0_1)
enum { RECORD = 192 };
#else
enum { RECORD = 128 };
#endif

static sigset_t notices;

// Finds the work tree that holds `root`, or else its parent.
static void find_project(const char *root, char *project) {
  char git[PATH_MAX + 8];
  struct stat status;
  strcpy(project, root);
  while (1) {
    snprintf(git, sizeof git, "%s/.git", project);
    if (stat(git, &status) == 0) return;
    if (project[0] == 0) break;
    *strrchr(project, '/') = 0;
  }
  strcpy(project, root);
  *strrchr(project, '/') = 0;
}

static int watch(int directory) {
  struct utsname names;
  struct statfs file_system;
  uname(&names);
  if (strtod(names.release, NULL) < 6.13 && strncmp(names.release, "6.", 2) != 0) return 0;
  if (fstatfs(directory, &file_system) < 0) return 0;
  sigemptyset(&notices);
  sigaddset(&notices, SIGRTMIN);
  sigaddset(&notices, SIGIO);
  sigprocmask(SIG_BLOCK, &notices, NULL);
  const struct timespec at_once = {0, 0};
  while (sigtimedwait(&notices, NULL, &at_once) > 0) continue;
  struct f_owner_ex thread = {F_OWNER_TID, gettid()};
  return fcntl(directory, F_SETOWN_EX, &thread) == 0 &&
         fcntl(directory, F_SETSIG, SIGRTMIN) == 0 &&
         fcntl(directory, F_NOTIFY, DN_CREATE | DN_DELETE | DN_RENAME | DN_MULTISHOT) == 0;
}

static uint64_t checksum(const char *text, int length) {
  uint64_t sum = 0xCBF29CE484222325;
  for (int i = 0; i < length; i++) sum = (sum ^ (unsigned char)text[i]) * 0x100000001B3;
  return sum;
}

#if defined(VERSION_0_1)
static int make_record(char *text, const struct stat *root, long highest) {
  int length =
      snprintf(text, RECORD + 1, "topic-alloc 1 %ju %ju %ju %jd %ld 3 _ %ld ",
               (uintmax_t)root->st_dev, (uintmax_t)root->st_ino, (uintmax_t)root->st_nlink,
               (intmax_t)root->st_ctim.tv_sec, root->st_ctim.tv_nsec, highest);
  length += snprintf(text + length, RECORD + 1 - length, "%jx", (uintmax_t)checksum(text, length));
  memset(text + length, ' ', RECORD - 1 - length);
  text[RECORD - 1] = '\n';
  return RECORD;
}

enum { WORDS_BEFORE = 9 };

static long read_record(int lock, char *text) { return pread(lock, text, RECORD + 1, 0); }

static int write_record(int lock, const char *text, int length) {
  struct stat status;
  return fstat(lock, &status) == 0 && pwrite(lock, text, length, 0) == length;
}
#else
static int make_record(char *text, const struct stat *root, long highest) {
  int length = snprintf(text, RECORD + 1, "2 %jx %jx %jx %jx %lx 3_ %ld ",
                        (uintmax_t)root->st_dev, (uintmax_t)root->st_ino, (uintmax_t)root->st_nlink,
                        (uintmax_t)root->st_ctim.tv_sec, root->st_ctim.tv_nsec, highest);
  uint64_t sum = checksum(text, length);
  length += snprintf(text + length, RECORD + 1 - length, "%x", (unsigned)(sum ^ sum >> 32));
  return length;
}

enum { WORDS_BEFORE = 7 };

static long read_record(int lock, char *text) {
  struct stat status;
  if (fstat(lock, &status) < 0) return -1;
  return fgetxattr(lock, "user.topic-alloc", text, RECORD);
}

static int write_record(int lock, const char *text, int length) {
  return fsetxattr(lock, "user.topic-alloc", text, length, 0) == 0;
}
#endif

static long recorded(int lock, const struct stat *root) {
  char found[RECORD + 1], expected[RECORD + 1];
  long length = read_record(lock, found);
  if (length <= 0 || length > RECORD) return -1;
  found[length] = 0;
  const char *number = found;
  for (int words = 0; words < WORDS_BEFORE; words++) {
    number = strchr(number, ' ');
    if (!number) return -1;
    number++;
  }
  long highest = strtol(number, NULL, 10);
  if (make_record(expected, root, highest) != length) return -1;
  return memcmp(found, expected, length) == 0 ? highest : -1;
}

static long scan(int directory) {
  long highest = 0;
  DIR *entries = fdopendir(openat(directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  for (struct dirent *entry; (entry = readdir(entries));) {
    int digits = (int)strspn(entry->d_name, "0123456789");
    if (digits < 3 || digits > 7 || entry->d_name[digits] != '_') continue;
    long number = atol(entry->d_name);
    if (number > highest) highest = number;
  }
  closedir(entries);
  return highest;
}

int main(int count, char **arguments) {
  if (count != 3) return 64;
  const char *name = arguments[2];
  char root[PATH_MAX], project[PATH_MAX];
  if (!realpath(arguments[1], root)) return 73;
  find_project(root, project);

  int directory = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  int lock = openat(directory, ".topic_number.lock", O_RDWR | O_NOFOLLOW | O_CREAT | O_CLOEXEC, 0666);
  if (lock < 0) return 73;
  flock(lock, LOCK_EX);
  flock(directory, LOCK_EX);
  int is_watched = watch(directory);
  struct stat before, there, after;
  fstat(directory, &before);
  stat(root, &there);
  sigset_t termination;
  sigemptyset(&termination);
  for (int i = 0; i < 4; i++) sigaddset(&termination, (int[]){SIGHUP, SIGINT, SIGQUIT, SIGTERM}[i]);
  sigprocmask(SIG_BLOCK, &termination, NULL);

  long highest = is_watched ? recorded(lock, &before) : -1;
  if (highest < 0) highest = scan(directory);
  char entry[NAME_MAX];
  snprintf(entry, sizeof entry, "%03ld_%s", ++highest, name);
  if (mkdirat(directory, entry, 0777) < 0) return 73;
  sigset_t pending;
  sigpending(&pending);
  fstat(directory, &after);
  char longest[NAME_MAX + 2];
  memset(longest, '-', sizeof longest - 1);
  longest[sizeof longest - 1] = 0;
  unlinkat(directory, longest, 0);
  const struct timespec at_once = {0, 0};
  int changes = 0;
  while (sigtimedwait(&notices, NULL, &at_once) > 0) changes++;
  if (is_watched && changes == 1) {
    char record[RECORD + 1];
    if (!write_record(lock, record, make_record(record, &after, highest))) return 74;
  }
  close(directory);
  close(lock);

  signal(SIGPIPE, SIG_IGN);
  struct pollfd output = {STDOUT_FILENO, POLLOUT, 0};
  poll(&output, 1, 100);
  printf("{\n  \"topic_number\": \"%.*s\",\n  \"topic_name\": \"%s\",\n  \"topic_path\": \"%s/%s\",\n"
         "  \"project_root\": \"%s\",\n  \"specs_dir\": \"%s\",\n  \"artifact_paths\": {\n",
         (int)strcspn(entry, "_"), entry, name, root, entry, project, root);
  static const char *const kinds[] = {"reports", "plans", "summaries", "debug", "scripts", "outputs"};
  for (int i = 0; i < 6; i++) {
    printf("    \"%s\": \"%s/%s/%s\"%s\n", kinds[i], root, entry, kinds[i], i < 5 ? "," : "");
  }
  printf("  }\n}\n");
  fflush(stdout);
  sigprocmask(SIG_UNBLOCK, &termination, NULL);
  return 0;
}
