/* What stands between a node and its disk: preloaded into it, counts and tells the operations that change files under one folder,
 * and at a chosen one kills the process, fails, or writes less than it was given. Ruled through a file that both map:
 * tests/support/faulty.py, which also says what the numbers mean. Reads are left alone. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

enum Op { CREATE, WRITE, SYNC, RENAME, REMOVE, RESIZE, MKDIR, OPS };
enum Kind { OTHER, STORE, WAL, SHM, DATA, MANIFEST, METADATA, HINT, HEAD, KEY, UPLOAD, TEMP, FOLDER, KINDS };
enum Action { NOTHING, KILL_BEFORE, KILL_AFTER, FAIL, SHORTEN };

/* An operation of one of these kinds on one of these files, whose bytes contain a text, where there is one. */
struct Rule {
  uint32_t ops, kinds;
  int32_t same_thread; /* As the operation that the rule before found. */
  int32_t nth;         /* Counts down; 1 is the next one. */
  char contains[64];
};

struct Told {
  uint8_t op, kind;
  uint16_t failed;
  uint32_t thread;
  char path[120];
};

enum { kRules = 3, kTold = 60000 };

struct Control {
  uint32_t armed, rules, stage, action;
  uint32_t error;
  uint32_t on; /* Once found, every operation of these kinds fails (a bit each of Op), until told otherwise. */
  uint32_t found, broken;
  uint32_t found_op, found_kind, thread;
  uint32_t telling, told;
  uint32_t pad;
  char found_path[256];
  struct Rule rule[kRules];
  uint64_t count[OPS][KINDS];
  struct Told tell[kTold];
};

static struct Control *control;
static char root[4096];
static size_t root_length;
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static uint8_t known[4096]; /* Of descriptors that were opened here: the kind and one. */

__attribute__((constructor)) static void begin(void) {
  const char *file = getenv("WEFT_FAULTY_CONTROL"), *folder = getenv("WEFT_FAULTY_ROOT");
  if (!file || !folder || strlen(folder) >= sizeof root) return;
  int fd = (int)syscall(SYS_openat, AT_FDCWD, file, O_RDWR | O_CLOEXEC, 0);
  if (fd < 0) return;
  void *mapped = mmap(NULL, sizeof(struct Control), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  syscall(SYS_close, fd);
  if (mapped == MAP_FAILED) return;
  strcpy(root, folder);
  root_length = strlen(root);
  control = mapped;
}

static int has(const char *path, const char *part) { return strstr(path, part) != NULL; }
static int ends(const char *path, const char *with) {
  size_t length = strlen(path), end = strlen(with);
  return length >= end && strcmp(path + length - end, with) == 0;
}

/* -1: none of the node's files. */
static int kind_of(const char *given) {
  if (!control || strncmp(given, root, root_length) != 0 || given[root_length] != '/') return -1;
  char path[4096];
  snprintf(path, sizeof path, "%s", given + root_length);
  char *draft = strstr(path, ".draft-"); /* What it is to become. */
  if (draft) *draft = 0;
  if (ends(path, ".db")) return STORE;
  if (ends(path, "-wal")) return WAL;
  if (ends(path, "-shm")) return SHM;
  if (strncmp(path, "/tmp/", 5) == 0) return TEMP;
  if (strncmp(path, "/uploads/", 9) == 0) return UPLOAD;
  if (strncmp(path, "/ledger/", 8) == 0) return has(path, "key") ? KEY : HEAD;
  if (ends(path, ".keys") || ends(path, ".key")) return KEY;
  if (strncmp(path, "/warehouse/", 11) != 0) return OTHER;
  if (ends(path, "version-hint.text")) return HINT;
  if (ends(path, ".metadata.json")) return METADATA;
  if (ends(path, ".avro")) return MANIFEST;
  return DATA;
}

static int kind_at(int folder, const char *path, char *whole, size_t size) {
  if (!control) return -1;
  if (path[0] == '/') {
    snprintf(whole, size, "%s", path);
  } else {
    char link[64];
    if (folder == AT_FDCWD) {
      snprintf(link, sizeof link, "/proc/self/cwd");
    } else {
      snprintf(link, sizeof link, "/proc/self/fd/%d", folder);
    }
    ssize_t length = readlink(link, whole, size - 1);
    if (length < 0) return -1;
    snprintf(whole + length, size - (size_t)length, "/%s", path);
  }
  return kind_of(whole);
}

static void path_of(int fd, char *path, size_t size) {
  char link[64];
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  ssize_t length = readlink(link, path, size - 1);
  path[length < 0 ? 0 : length] = 0;
}

static int kind_of_fd(int fd) {
  if (!control || fd < 0) return -1;
  if (fd < (int)sizeof known && known[fd]) return known[fd] - 1;
  char path[4096];
  path_of(fd, path, sizeof path);
  return path[0] == '/' ? kind_of(path) : -1;
}

static int matches(const struct Rule *rule, enum Op op, int kind, uint32_t thread, const void *bytes, size_t size) {
  if (!(rule->ops >> op & 1) || !(rule->kinds >> kind & 1)) return 0;
  if (rule->same_thread && thread != control->thread) return 0;
  return !rule->contains[0] || (bytes && memmem(bytes, size, rule->contains, strlen(rule->contains)));
}

static void die(void) {
  syscall(SYS_kill, getpid(), SIGKILL);
  for (;;) pause();
}

/* What is to become of the operation; `kind` may be -1, of which nothing becomes. */
static enum Action meet(enum Op op, int kind, const char *path, int fd, const void *bytes, size_t size) {
  if (kind < 0) return NOTHING;
  enum Action action = NOTHING;
  char own[4096] = "";
  uint32_t thread = (uint32_t)syscall(SYS_gettid);
  pthread_mutex_lock(&mutex);
  ++control->count[op][kind];
  if (control->armed && !control->found && matches(&control->rule[control->stage], op, kind, thread, bytes, size) &&
      --control->rule[control->stage].nth <= 0) {
    control->thread = thread;
    if (++control->stage == control->rules) {
      if (!path) path_of(fd, own, sizeof own);
      control->found_op = op;
      control->found_kind = (uint32_t)kind;
      strncpy(control->found_path, path ? path : own, sizeof control->found_path - 1);
      control->found = 1;
      action = control->action;
    }
  } else if (control->armed && control->found && (control->on >> op & 1)) {
    action = FAIL;
  }
  if (action >= FAIL) ++control->broken;
  if (control->telling && control->told < kTold) {
    if (!path && !own[0]) path_of(fd, own, sizeof own);
    const char *name = (path ? path : own) + root_length;
    struct Told *told = &control->tell[control->told++];
    *told = (struct Told){op, (uint8_t)kind, action == FAIL, thread, ""};
    snprintf(told->path, sizeof told->path, "%s", name);
  }
  pthread_mutex_unlock(&mutex);
  if (action == KILL_BEFORE) die();
  return action;
}

/* Runs CALL between what may become of it; RESULT is an int or ssize_t. */
#define BETWEEN(op, kind, path, fd, bytes, size, result, call)            \
  do {                                                                    \
    enum Action action_ = meet(op, kind, path, fd, bytes, size);          \
    if (action_ == FAIL || (action_ == SHORTEN && (op) != WRITE)) {       \
      errno = (int)control->error;                                        \
      (result) = -1;                                                      \
    } else {                                                              \
      (result) = (call);                                                  \
      int saved_ = errno;                                                 \
      if (action_ == KILL_AFTER) die();                                   \
      errno = saved_;                                                     \
    }                                                                     \
  } while (0)

static void note(int fd, int kind) {
  if (fd >= 0 && fd < (int)sizeof known) known[fd] = (uint8_t)(kind + 1);
}

static int opened(int folder, const char *path, int flags, mode_t mode) {
  char whole[8192];
  int kind = kind_at(folder, path, whole, sizeof whole), fd;
  if (kind >= 0 && flags & O_DIRECTORY) kind = FOLDER;
  struct stat there;
  int creates = kind >= 0 && (flags & O_CREAT) && stat(whole, &there) != 0;
  if (creates) {
    BETWEEN(CREATE, kind, whole, -1, NULL, 0, fd, (int)syscall(SYS_openat, folder, path, flags, mode));
  } else if (kind >= 0 && (flags & O_TRUNC)) {
    BETWEEN(RESIZE, kind, whole, -1, NULL, 0, fd, (int)syscall(SYS_openat, folder, path, flags, mode));
  } else {
    fd = (int)syscall(SYS_openat, folder, path, flags, mode);
  }
  note(fd, kind);
  return fd;
}

#define MODE_OF(flags)                                  \
  mode_t mode = 0;                                      \
  if ((flags) & (O_CREAT | __O_TMPFILE)) {              \
    va_list more;                                       \
    va_start(more, flags);                              \
    mode = va_arg(more, mode_t);                        \
    va_end(more);                                       \
  }

int open(const char *path, int flags, ...) {
  MODE_OF(flags)
  return opened(AT_FDCWD, path, flags, mode);
}
int open64(const char *path, int flags, ...) {
  MODE_OF(flags)
  return opened(AT_FDCWD, path, flags, mode);
}
int openat(int folder, const char *path, int flags, ...) {
  MODE_OF(flags)
  return opened(folder, path, flags, mode);
}
int openat64(int folder, const char *path, int flags, ...) {
  MODE_OF(flags)
  return opened(folder, path, flags, mode);
}
int creat(const char *path, mode_t mode) { return opened(AT_FDCWD, path, O_CREAT | O_WRONLY | O_TRUNC, mode); }

int close(int fd) {
  if (fd >= 0 && fd < (int)sizeof known) known[fd] = 0;
  return (int)syscall(SYS_close, fd);
}

/* Half of what was given, at least a byte. */
static size_t half(size_t size) { return size > 1 ? size / 2 : size; }

static ssize_t written(int fd, const void *bytes, size_t size, int64_t offset) {
  int kind = kind_of_fd(fd);
  enum Action action = meet(WRITE, kind, NULL, fd, bytes, size);
  if (action == FAIL) {
    errno = (int)control->error;
    return -1;
  }
  if (action == SHORTEN) size = half(size);
  ssize_t wrote =
      offset < 0 ? syscall(SYS_write, fd, bytes, size) : syscall(SYS_pwrite64, fd, bytes, size, offset);
  int saved = errno;
  if (action == KILL_AFTER) die();
  errno = saved;
  return wrote;
}

ssize_t write(int fd, const void *bytes, size_t size) { return written(fd, bytes, size, -1); }
ssize_t pwrite(int fd, const void *bytes, size_t size, off_t offset) { return written(fd, bytes, size, offset); }
ssize_t pwrite64(int fd, const void *bytes, size_t size, off_t offset) { return written(fd, bytes, size, offset); }

ssize_t writev(int fd, const struct iovec *parts, int count) {
  ssize_t result;
  int kind = kind_of_fd(fd);
  const void *bytes = count > 0 ? parts[count - 1].iov_base : NULL;
  BETWEEN(WRITE, kind, NULL, fd, bytes, count > 0 ? parts[count - 1].iov_len : 0, result,
          syscall(SYS_writev, fd, parts, count));
  return result;
}
ssize_t pwritev(int fd, const struct iovec *parts, int count, off_t offset) {
  ssize_t result;
  BETWEEN(WRITE, kind_of_fd(fd), NULL, fd, NULL, 0, result, syscall(SYS_pwritev, fd, parts, count, offset, 0));
  return result;
}
ssize_t sendfile(int to, int from, off_t *offset, size_t size) {
  ssize_t result;
  BETWEEN(WRITE, kind_of_fd(to), NULL, to, NULL, 0, result, syscall(SYS_sendfile, to, from, offset, size));
  return result;
}
ssize_t sendfile64(int to, int from, off_t *offset, size_t size) { return sendfile(to, from, offset, size); }
ssize_t copy_file_range(int from, off_t *at, int to, off_t *where, size_t size, unsigned flags) {
  ssize_t result;
  BETWEEN(WRITE, kind_of_fd(to), NULL, to, NULL, 0, result,
          syscall(SYS_copy_file_range, from, at, to, where, size, flags));
  return result;
}

int fsync(int fd) {
  int result;
  BETWEEN(SYNC, kind_of_fd(fd), NULL, fd, NULL, 0, result, (int)syscall(SYS_fsync, fd));
  return result;
}
int fdatasync(int fd) {
  int result;
  BETWEEN(SYNC, kind_of_fd(fd), NULL, fd, NULL, 0, result, (int)syscall(SYS_fdatasync, fd));
  return result;
}

static int resized(int fd, int64_t size) {
  int result;
  BETWEEN(RESIZE, kind_of_fd(fd), NULL, fd, NULL, 0, result, (int)syscall(SYS_ftruncate, fd, size));
  return result;
}
int ftruncate(int fd, off_t size) { return resized(fd, size); }
int ftruncate64(int fd, off_t size) { return resized(fd, size); }
int fallocate(int fd, int mode, off_t at, off_t size) {
  int result;
  BETWEEN(RESIZE, kind_of_fd(fd), NULL, fd, NULL, 0, result, (int)syscall(SYS_fallocate, fd, mode, at, size));
  return result;
}
int fallocate64(int fd, int mode, off_t at, off_t size) { return fallocate(fd, mode, at, size); }
int posix_fallocate(int fd, off_t at, off_t size) {
  int result = fallocate(fd, 0, at, size);
  return result == 0 ? 0 : errno;
}
int posix_fallocate64(int fd, off_t at, off_t size) { return posix_fallocate(fd, at, size); }

static int renamed(int from_folder, const char *from, int to_folder, const char *to) {
  char whole[8192];
  int result;
  BETWEEN(RENAME, kind_at(to_folder, to, whole, sizeof whole), whole, -1, NULL, 0, result,
          (int)syscall(SYS_renameat2, from_folder, from, to_folder, to, 0));
  return result;
}
int rename(const char *from, const char *to) { return renamed(AT_FDCWD, from, AT_FDCWD, to); }
int renameat(int from_folder, const char *from, int to_folder, const char *to) {
  return renamed(from_folder, from, to_folder, to);
}

static int removed(int folder, const char *path, int flags) {
  char whole[8192];
  int kind = kind_at(folder, path, whole, sizeof whole), result;
  if (kind >= 0 && flags & AT_REMOVEDIR) kind = FOLDER;
  struct stat there;
  if (kind >= 0 && lstat(whole, &there) != 0) kind = -1;
  BETWEEN(REMOVE, kind, whole, -1, NULL, 0, result, (int)syscall(SYS_unlinkat, folder, path, flags));
  return result;
}
int unlink(const char *path) { return removed(AT_FDCWD, path, 0); }
int unlinkat(int folder, const char *path, int flags) { return removed(folder, path, flags); }
int rmdir(const char *path) { return removed(AT_FDCWD, path, AT_REMOVEDIR); }
int remove(const char *path) {
  struct stat there;
  if (lstat(path, &there) != 0) return -1;
  return removed(AT_FDCWD, path, S_ISDIR(there.st_mode) ? AT_REMOVEDIR : 0);
}

int mkdir(const char *path, mode_t mode) {
  char whole[8192];
  int kind = kind_at(AT_FDCWD, path, whole, sizeof whole), result;
  struct stat there;
  if (kind >= 0) kind = stat(whole, &there) == 0 ? -1 : FOLDER;
  BETWEEN(MKDIR, kind, whole, -1, NULL, 0, result, (int)syscall(SYS_mkdirat, AT_FDCWD, path, mode));
  return result;
}
