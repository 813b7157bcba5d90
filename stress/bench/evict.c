// Usage: evict FILE...
//
// Has the page cache forget the files, as it does by itself when memory runs short: posix_fadvise(2). The
// next start reads them from the disk, into smaller pieces of the cache than a large write(2) makes.

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>
int main(int count, char **files) {
  for (int i = 1; i < count; i++) {
    int file = open(files[i], O_RDONLY | O_CLOEXEC);
    if (file < 0 || fdatasync(file) < 0 || posix_fadvise(file, 0, 0, POSIX_FADV_DONTNEED) != 0) {
      perror(files[i]);
      return 74;
    }
    close(file);
  }
  return 0;
}
