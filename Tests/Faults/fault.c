// A library that the daemon loads before the C library (LD_PRELOAD). It counts the daemon's system calls and makes chosen
// ones fail. While the daemon runs, a test chooses them in a file that both have mapped.
//
// The library affects only the daemon itself: it ignores programs of another name, and the daemon's children never get the
// variables. Calls that the C library makes internally, such as inside posix_spawn(3), do not come through here.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define CALLS(each)                                                                                                  \
    each(accept4) each(access) each(bind) each(chdir) each(chmod) each(close) each(close_range) each(connect)        \
    each(epoll_create1) each(epoll_ctl) each(epoll_wait) each(fcntl) each(flock) each(fork) each(fstat)              \
    each(ftruncate) each(getsockname) each(getsockopt) each(listen) each(lstat) each(memfd_create) each(mkdir)       \
    each(mkostemp) each(open) each(pidfd_open) each(pidfd_send_signal) each(pipe2) each(poll) each(posix_spawn)      \
    each(pread) each(pwrite) each(read) each(readlink) each(recvmsg) each(rename) each(send) each(sendfile)          \
    each(sendmsg) each(setrlimit) each(setsockopt) each(shutdown) each(signalfd) each(socket) each(stat)             \
    each(tmpfile) each(unlink) each(waitpid) each(write)

enum call {
#define EACH(name) CALL_##name,
    CALLS(EACH) CALL_COUNT
#undef EACH
};

// The kind of a call's descriptor; NONE if the call has none.
enum kind { NONE, STREAM, DATAGRAM, PIPE, REGULAR, OTHER, KIND_COUNT };

// The file, laid out for Python's struct: see control.py.
struct control {
    uint32_t call_count, kind_count;
    // Of the calls of this kind since the arming, `times` fail, beginning with the `first`. With error 0 they transfer one
    // byte.
    int32_t call, kind, error;
    uint32_t is_armed;
    uint64_t first, times;
    uint64_t seen, failed;
    uint64_t counts[CALL_COUNT][KIND_COUNT];
    char names[CALL_COUNT][24];
};

static struct control *control;
enum { PASS = -1, SHORT = 0 };

#define REAL(name) ((__typeof__(&name))real(#name))
static void *real(const char *name) { return dlsym(RTLD_NEXT, name); }

__attribute__((constructor)) static void begin(void) {
    const char *path = getenv("FAULT_CONTROL");
    if (path == NULL || strcmp(program_invocation_short_name, "dokku-daemon") != 0) return;
    int file = REAL(open)(path, O_RDWR | O_CLOEXEC);
    if (file < 0) abort();
    struct control *map = mmap(NULL, sizeof *map, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    REAL(close)(file);
    if (map == MAP_FAILED) abort();
    static const char *const names[] = {
#define EACH(name) #name,
        CALLS(EACH)
#undef EACH
    };
    for (int call = 0; call < CALL_COUNT; call++) strcpy(map->names[call], names[call]);
    map->call_count = CALL_COUNT;
    map->kind_count = KIND_COUNT;
    unsetenv("FAULT_CONTROL");
    unsetenv("LD_PRELOAD");
    control = map;
}

static enum kind kind_of(int descriptor) {
    struct stat status;
    int kept = errno;
    enum kind kind = OTHER;
    if (REAL(fstat)(descriptor, &status) == 0) {
        if (S_ISFIFO(status.st_mode)) kind = PIPE;
        if (S_ISREG(status.st_mode)) kind = REGULAR;
        if (S_ISSOCK(status.st_mode)) {
            int type = 0;
            socklen_t size = sizeof type;
            REAL(getsockopt)(descriptor, SOL_SOCKET, SO_TYPE, &type, &size);
            kind = type == SOCK_DGRAM ? DATAGRAM : STREAM;
        }
    }
    errno = kept;
    return kind;
}

// Counts a call, and returns what to do with it: PASS, SHORT, or an error.
static int verdict(enum call call, enum kind kind) {
    if (control == NULL) return PASS;
    __atomic_fetch_add(&control->counts[call][kind], 1, __ATOMIC_RELAXED);
    if (!__atomic_load_n(&control->is_armed, __ATOMIC_ACQUIRE)) return PASS;
    if (control->call != (int)call || control->kind != (int)kind) return PASS;
    uint64_t number = __atomic_add_fetch(&control->seen, 1, __ATOMIC_RELAXED);
    if (number < control->first || number - control->first >= control->times) return PASS;
    __atomic_fetch_add(&control->failed, 1, __ATOMIC_RELAXED);
    return control->error;
}

static enum kind kind_for(int descriptor) { return control == NULL ? NONE : kind_of(descriptor); }

// A call that is passed on, or fails with -1 and errno.
#define FAIL(call, kind)                                                                                             \
    do {                                                                                                             \
        int error = verdict(CALL_##call, kind);                                                                      \
        if (error > 0) {                                                                                             \
            errno = error;                                                                                           \
            return -1;                                                                                               \
        }                                                                                                            \
    } while (0)

#define PLAIN(name, kind, parameters, ...)                                                                           \
    int name parameters {                                                                                            \
        FAIL(name, kind);                                                                                            \
        return REAL(name)(__VA_ARGS__);                                                                              \
    }

PLAIN(accept4, NONE, (int fd, struct sockaddr *address, socklen_t *size, int flags), fd, address, size, flags)
PLAIN(access, NONE, (const char *path, int mode), path, mode)
PLAIN(bind, NONE, (int fd, const struct sockaddr *address, socklen_t size), fd, address, size)
PLAIN(chdir, NONE, (const char *path), path)
PLAIN(chmod, NONE, (const char *path, mode_t mode), path, mode)
PLAIN(connect, kind_for(fd), (int fd, const struct sockaddr *address, socklen_t size), fd, address, size)
PLAIN(epoll_create1, NONE, (int flags), flags)
PLAIN(epoll_wait, NONE, (int fd, struct epoll_event *events, int count, int timeout), fd, events, count, timeout)
PLAIN(flock, NONE, (int fd, int operation), fd, operation)
PLAIN(fstat, kind_for(fd), (int fd, struct stat *status), fd, status)
PLAIN(ftruncate, NONE, (int fd, off_t size), fd, size)
PLAIN(getsockname, NONE, (int fd, struct sockaddr *address, socklen_t *size), fd, address, size)
PLAIN(getsockopt, NONE, (int fd, int level, int name, void *value, socklen_t *size), fd, level, name, value, size)
PLAIN(listen, NONE, (int fd, int backlog), fd, backlog)
PLAIN(lstat, NONE, (const char *path, struct stat *status), path, status)
PLAIN(memfd_create, NONE, (const char *name, unsigned flags), name, flags)
PLAIN(mkdir, NONE, (const char *path, mode_t mode), path, mode)
PLAIN(mkostemp, NONE, (char *path, int flags), path, flags)
PLAIN(pipe2, NONE, (int ends[2], int flags), ends, flags)
PLAIN(poll, NONE, (struct pollfd *queries, nfds_t count, int timeout), queries, count, timeout)
PLAIN(rename, NONE, (const char *from, const char *to), from, to)
PLAIN(setrlimit, NONE, (__rlimit_resource_t resource, const struct rlimit *limit), resource, limit)
PLAIN(setsockopt, NONE, (int fd, int level, int name, const void *value, socklen_t size), fd, level, name, value, size)
PLAIN(shutdown, NONE, (int fd, int how), fd, how)
PLAIN(signalfd, NONE, (int fd, const sigset_t *set, int flags), fd, set, flags)
PLAIN(socket, NONE, (int family, int type, int protocol), family, type, protocol)
PLAIN(stat, NONE, (const char *path, struct stat *status), path, status)
PLAIN(unlink, NONE, (const char *path), path)
PLAIN(waitpid, NONE, (pid_t pid, int *status, int options), pid, status, options)

// A process that the daemon forks is not the daemon: its calls are neither counted nor made to fail.
pid_t fork(void) {
    FAIL(fork, NONE);
    pid_t pid = REAL(fork)();
    if (pid == 0) control = NULL;
    return pid;
}

// The descriptor is closed even if close(2) fails.
int close(int fd) {
    int error = verdict(CALL_close, kind_for(fd));
    int result = REAL(close)(fd);
    if (error <= 0) return result;
    errno = error;
    return -1;
}

// Removing a descriptor that epoll knows cannot fail.
int epoll_ctl(int epoll, int operation, int fd, struct epoll_event *event) {
    if (operation != EPOLL_CTL_DEL) FAIL(epoll_ctl, kind_for(fd));
    return REAL(epoll_ctl)(epoll, operation, fd, event);
}

// Only the operations that may fail for an open descriptor: duplicating it, and growing a pipe.
int fcntl(int fd, int command, ...) {
    va_list arguments;
    va_start(arguments, command);
    void *argument = va_arg(arguments, void *);
    va_end(arguments);
    if (command == F_SETPIPE_SZ || command == F_DUPFD_CLOEXEC) FAIL(fcntl, kind_for(fd));
    return REAL(fcntl)(fd, command, argument);
}

int open(const char *path, int flags, ...) {
    va_list arguments;
    va_start(arguments, flags);
    mode_t mode = va_arg(arguments, mode_t);
    va_end(arguments);
    if ((flags & O_TMPFILE) == O_TMPFILE) FAIL(tmpfile, NONE);
    else FAIL(open, NONE);
    return REAL(open)(path, flags, mode);
}

int posix_spawn(pid_t *pid, const char *path, const posix_spawn_file_actions_t *actions,
    const posix_spawnattr_t *attributes, char *const argv[], char *const envp[]) {
    int error = verdict(CALL_posix_spawn, NONE);
    return error > 0 ? error : REAL(posix_spawn)(pid, path, actions, attributes, argv, envp);
}

long syscall(long number, ...) {
    va_list list;
    long arguments[6];
    va_start(list, number);
    for (int index = 0; index < 6; index++) arguments[index] = va_arg(list, long);
    va_end(list);
    if (number == SYS_pidfd_open) FAIL(pidfd_open, NONE);
    if (number == SYS_pidfd_send_signal) FAIL(pidfd_send_signal, NONE);
    if (number == SYS_close_range) FAIL(close_range, NONE);
    return REAL(syscall)(
        number, arguments[0], arguments[1], arguments[2], arguments[3], arguments[4], arguments[5]);
}

#define TRANSFER(name, parameters, fd, count, ...)                                                                   \
    ssize_t name parameters {                                                                                        \
        int error = verdict(CALL_##name, kind_for(fd));                                                              \
        if (error == SHORT && count > 1) count = 1;                                                                  \
        if (error > 0) {                                                                                             \
            errno = error;                                                                                           \
            return -1;                                                                                               \
        }                                                                                                            \
        return REAL(name)(__VA_ARGS__);                                                                              \
    }

TRANSFER(pread, (int fd, void *to, size_t count, off_t offset), fd, count, fd, to, count, offset)
TRANSFER(pwrite, (int fd, const void *from, size_t count, off_t offset), fd, count, fd, from, count, offset)
TRANSFER(read, (int fd, void *to, size_t count), fd, count, fd, to, count)
TRANSFER(readlink, (const char *restrict path, char *restrict to, size_t count), -1, count, path, to, count)
TRANSFER(send, (int fd, const void *from, size_t count, int flags), fd, count, fd, from, count, flags)
TRANSFER(sendfile, (int to, int from, off_t *offset, size_t count), to, count, to, from, offset, count)
TRANSFER(write, (int fd, const void *from, size_t count), fd, count, fd, from, count)

ssize_t recvmsg(int fd, struct msghdr *message, int flags) {
    FAIL(recvmsg, kind_for(fd));
    return REAL(recvmsg)(fd, message, flags);
}

ssize_t sendmsg(int fd, const struct msghdr *message, int flags) {
    FAIL(sendmsg, kind_for(fd));
    return REAL(sendmsg)(fd, message, flags);
}
