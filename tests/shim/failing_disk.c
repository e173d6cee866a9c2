/* A disk that fails on demand, for the process this is preloaded into (LD_PRELOAD).
 *
 * The file that FAILING_DISK names says how. Its first letter:
 *   e   writes to journal.db* fail with EIO before anything is written
 *   f   writes to journal.db* fail with ENOSPC before anything is written
 *   s   fdatasync and fsync of journal.db* fail with EIO after everything was written
 *   d   writes to journal.db* succeed, two milliseconds late
 * Anything else, or no such file: the disk works. Each failure adds a byte to the file FAILING_DISK_COUNT names. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

static int is_journal(int fd) {
    char link[64], path[4096];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, path, sizeof path - 1);
    if (length <= 0) return 0;
    path[length] = 0;
    return strstr(path, "/journal.db") != NULL;
}

static char mode(void) {
    const char *control = getenv("FAILING_DISK");
    char letter = 0;
    int fd = control ? open(control, O_RDONLY | O_CLOEXEC) : -1;
    if (fd < 0) return 0;
    if (read(fd, &letter, 1) != 1) letter = 0;
    close(fd);
    return letter;
}

/* Whether this call on fd fails; sets errno and counts. */
static int fails(int fd, int writing) {
    int saved = errno;
    char how = mode();
    int error = !writing ? (how == 's' ? EIO : 0) : how == 'e' ? EIO : how == 'f' ? ENOSPC : 0;
    if (writing && how == 'd' && is_journal(fd)) usleep(2000);
    errno = saved;
    if (!error || !is_journal(fd)) return 0;
    const char *count = getenv("FAILING_DISK_COUNT");
    int out = count ? open(count, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600) : -1;
    if (out >= 0) {
        static ssize_t (*really)(int, const void *, size_t);
        if (!really) really = dlsym(RTLD_NEXT, "write");
        really(out, &"efs"[how == 'e' ? 0 : how == 'f' ? 1 : 2], 1);
        close(out);
    }
    errno = error;
    return 1;
}

ssize_t pwrite(int fd, const void *bytes, size_t length, off_t at) {
    static ssize_t (*really)(int, const void *, size_t, off_t);
    if (!really) really = dlsym(RTLD_NEXT, "pwrite");
    return fails(fd, 1) ? -1 : really(fd, bytes, length, at);
}

ssize_t pwrite64(int fd, const void *bytes, size_t length, off64_t at) {
    static ssize_t (*really)(int, const void *, size_t, off64_t);
    if (!really) really = dlsym(RTLD_NEXT, "pwrite64");
    return fails(fd, 1) ? -1 : really(fd, bytes, length, at);
}

ssize_t write(int fd, const void *bytes, size_t length) {
    static ssize_t (*really)(int, const void *, size_t);
    if (!really) really = dlsym(RTLD_NEXT, "write");
    return fails(fd, 1) ? -1 : really(fd, bytes, length);
}

int fdatasync(int fd) {
    static int (*really)(int);
    if (!really) really = dlsym(RTLD_NEXT, "fdatasync");
    int done = really(fd);
    return fails(fd, 0) ? -1 : done;
}

int fsync(int fd) {
    static int (*really)(int);
    if (!really) really = dlsym(RTLD_NEXT, "fsync");
    int done = really(fd);
    return fails(fd, 0) ? -1 : done;
}
