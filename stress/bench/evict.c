// Usage: evict FILE...
//
// Evicts files from the page cache with posix_fadvise(2), as the kernel does when memory runs short. The
// next start reads them from disk, and then they are cached in smaller pieces than after one large
// write(2).

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
