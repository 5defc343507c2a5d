// The system calls of CEpollShim.h. _GNU_SOURCE stays out of the public header: there it would change what the
// Glibc module contains.
#define _GNU_SOURCE
#include "CEpollShim.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <link.h>
#include <malloc.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <poll.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#ifndef PIDFD_SIGNAL_PROCESS_GROUP
#define PIDFD_SIGNAL_PROCESS_GROUP (1u << 2)
#endif

int shim_epoll_control(int epoll, int operation, int descriptor, uint32_t events, uint64_t token) {
    struct epoll_event event = {.events = events, .data = {.u64 = token}};
    return epoll_ctl(epoll, operation, descriptor, &event);
}

int shim_epoll_wait(int epoll, struct epoll_event *events, int capacity, int milliseconds) {
    return epoll_wait(epoll, events, capacity, milliseconds);
}

int shim_accept(int listener) { return accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC); }

int shim_unix_socket(void) { return socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0); }

int shim_unix_datagram_socket(void) { return socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0); }

int shim_pipe(int ends[2], int nonblocking_read, int nonblocking_write) {
    if (nonblocking_read && nonblocking_write) return pipe2(ends, O_CLOEXEC | O_NONBLOCK);
    if (pipe2(ends, O_CLOEXEC) != 0) return -1;
    // The child's end must block: a program that does not expect O_NONBLOCK on its standard output loses bytes.
    if (nonblocking_read) fcntl(ends[0], F_SETFL, O_NONBLOCK);
    if (nonblocking_write) fcntl(ends[1], F_SETFL, O_WRONLY | O_NONBLOCK);
    return 0;
}

int shim_set_pipe_size(int descriptor, int size) { return fcntl(descriptor, F_SETPIPE_SZ, size); }

int shim_open_unlinked(const char *folder) {
    int descriptor = open(folder, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    if (descriptor >= 0 || (errno != EOPNOTSUPP && errno != EISDIR)) return descriptor;
    // For NFS and other file systems without O_TMPFILE.
    char path[PATH_MAX];
    if (snprintf(path, sizeof path, "%s/spool.XXXXXX", folder) >= (int)sizeof path) {
        errno = ENAMETOOLONG;
        return -1;
    }
    descriptor = mkostemp(path, O_CLOEXEC);
    if (descriptor >= 0) unlink(path);
    return descriptor;
}

int shim_sealed_empty_file(void) {
    int descriptor = memfd_create("dokku-daemon-empty", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (descriptor < 0) return -1;
    if (fcntl(descriptor, F_ADD_SEALS, F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE) != 0) {
        int failure = errno;
        close(descriptor);
        errno = failure;
        return -1;
    }
    return descriptor;
}

int shim_raise_descriptor_limit(int wanted) {
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return 1024;
    rlim_t before = limit.rlim_cur;
    if (limit.rlim_cur < (rlim_t)wanted) {
        limit.rlim_cur = limit.rlim_max < (rlim_t)wanted ? limit.rlim_max : (rlim_t)wanted;
        if (setrlimit(RLIMIT_NOFILE, &limit) != 0) limit.rlim_cur = before;
    }
    return limit.rlim_cur > INT_MAX ? INT_MAX : (int)limit.rlim_cur;
}

int shim_peer_credentials(int descriptor, struct shim_peer *peer) {
    struct ucred credentials;
    socklen_t size = sizeof credentials;
    if (getsockopt(descriptor, SOL_SOCKET, SO_PEERCRED, &credentials, &size) != 0) return -1;
    peer->pid = credentials.pid;
    peer->uid = credentials.uid;
    peer->gid = credentials.gid;
    return 0;
}

int shim_peer_pidfd(int connection) {
    // By number: the kernel may be newer than the headers of the build.
    enum { SHIM_SO_PEERPIDFD = 77 };
    int pidfd = -1;
    socklen_t size = sizeof pidfd;
    return getsockopt(connection, SOL_SOCKET, SHIM_SO_PEERPIDFD, &pidfd, &size) == 0 ? pidfd : -1;
}

int shim_unread(int descriptor, int *has_end) {
    struct pollfd query = {.fd = descriptor, .events = POLLRDHUP};
    *has_end = poll(&query, 1, 0) > 0 && (query.revents & (POLLRDHUP | POLLHUP)) != 0;
    int count = 0;
    return ioctl(descriptor, FIONREAD, &count) == 0 ? count : -1;
}

int shim_pidfd_open(pid_t pid) { return (int)syscall(SYS_pidfd_open, pid, 0); }

int shim_pidfd_signal_group(int pidfd, int signal) {
    return (int)syscall(SYS_pidfd_send_signal, pidfd, signal, NULL, PIDFD_SIGNAL_PROCESS_GROUP);
}

static int prepare_attributes(posix_spawnattr_t *attributes) {
    sigset_t none, all;
    sigemptyset(&none);
    // All signals: for each signal that is not in the set, glibc makes a system call to ask for its action.
    sigfillset(&all);
    int failure = posix_spawnattr_init(attributes);
    if (failure == 0) {
        failure = posix_spawnattr_setflags(
            attributes, POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
    }
    if (failure == 0) failure = posix_spawnattr_setsigmask(attributes, &none);
    if (failure == 0) failure = posix_spawnattr_setsigdefault(attributes, &all);
    return failure;
}

static int add_emptied_output(posix_spawn_file_actions_t *actions, int output) {
    char path[32];
    snprintf(path, sizeof path, "/proc/self/fd/%d", output);
    return posix_spawn_file_actions_addopen(actions, STDOUT_FILENO, path, O_WRONLY | O_TRUNC | O_NOCTTY, 0);
}

static int prepare_actions(posix_spawn_file_actions_t *actions, const struct shim_descriptors *given) {
    const int numbers[4] = {given->input, given->output, given->error, given->lock};
    int failure = posix_spawn_file_actions_init(actions);
    // adddup2 of a descriptor onto its own number clears the close-on-exec flag, as POSIX requires.
    for (int number = 0; failure == 0 && number < 4; number++) {
        if (numbers[number] < 0) continue;
        if (number == STDOUT_FILENO && given->empties_output) {
            failure = add_emptied_output(actions, numbers[number]);
        } else {
            failure = posix_spawn_file_actions_adddup2(actions, numbers[number], number);
        }
    }
    return failure;
}

int shim_spawn(
    pid_t *pid, const char *path, char *const argv[], char *const envp[], struct shim_descriptors given) {
    // Kept for the next command, which usually gets the same descriptor numbers: preparing them takes eight system
    // calls. Each thread has its own, because tests start children in parallel.
    static _Thread_local posix_spawnattr_t attributes;
    static _Thread_local posix_spawn_file_actions_t actions;
    static _Thread_local struct shim_descriptors prepared;
    static _Thread_local int has_attributes, has_actions;
    int failure = 0;
    if (!has_attributes) {
        failure = prepare_attributes(&attributes);
        if (failure != 0) return failure;
        has_attributes = 1;
    }
    if (has_actions && memcmp(&prepared, &given, sizeof given) != 0) {
        posix_spawn_file_actions_destroy(&actions);
        has_actions = 0;
    }
    if (!has_actions) {
        failure = prepare_actions(&actions, &given);
        if (failure != 0) {
            posix_spawn_file_actions_destroy(&actions);
            return failure;
        }
        prepared = given;
        has_actions = 1;
    }
    return posix_spawn(pid, path, &actions, &attributes, argv, envp);
}

const char *shim_signal_abbreviation(int number) { return sigabbrev_np(number); }

int shim_wait(pid_t pid, int *value) {
    int status = 0;
    pid_t reaped;
    do reaped = waitpid(pid, &status, WNOHANG);
    while (reaped < 0 && errno == EINTR);
    if (reaped < 0) return -1;
    if (reaped == 0) return 0;
    if (WIFEXITED(status)) {
        *value = WEXITSTATUS(status);
        return 1;
    }
    *value = WTERMSIG(status);
    return 2;
}

int shim_lock(int descriptor) { return flock(descriptor, LOCK_EX | LOCK_NB); }

int shim_unlock(int descriptor) { return flock(descriptor, LOCK_UN); }

ssize_t shim_send_file(int to, int from, int64_t offset, size_t count) {
    off_t position = offset;
    return sendfile(to, from, &position, count);
}

const int shim_path_only = O_PATH;

int shim_open(const char *path, int flags, mode_t mode) { return open(path, flags | O_CLOEXEC, mode); }

int shim_set_nonblocking(int descriptor) {
    int flags = fcntl(descriptor, F_GETFL);
    return flags < 0 ? -1 : fcntl(descriptor, F_SETFL, flags | O_NONBLOCK);
}

int shim_close_on_exec_from(unsigned first) {
    const unsigned close_on_exec = 1u << 2;
    return (int)syscall(SYS_close_range, first, ~0u, close_on_exec);
}

static int fill_address(struct sockaddr_un *address, const char *path, socklen_t *size) {
    size_t length = strlen(path);
    if (length >= sizeof address->sun_path) {
        errno = ENAMETOOLONG;
        return -1;
    }
    memset(address, 0, sizeof *address);
    address->sun_family = AF_UNIX;
    memcpy(address->sun_path, path, length + 1);
    *size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length + 1);
    return 0;
}

int shim_bind(int descriptor, const char *path) {
    struct sockaddr_un address;
    socklen_t size;
    return fill_address(&address, path, &size) != 0 ? -1 : bind(descriptor, (struct sockaddr *)&address, size);
}

int shim_connect(int descriptor, const char *path) {
    struct sockaddr_un address;
    socklen_t size;
    return fill_address(&address, path, &size) != 0 ? -1 : connect(descriptor, (struct sockaddr *)&address, size);
}

int shim_bound_path(int descriptor, char *path, size_t size) {
    struct sockaddr_un address;
    socklen_t length = sizeof address;
    if (getsockname(descriptor, (struct sockaddr *)&address, &length) != 0) return -1;
    size_t start = offsetof(struct sockaddr_un, sun_path);
    size_t count = length > start ? strnlen(address.sun_path, length - start) : 0;
    if (count >= size) count = size - 1;
    memcpy(path, address.sun_path, count);
    path[count] = 0;
    return 0;
}

static int64_t nanoseconds(clockid_t clock) {
    struct timespec now;
    clock_gettime(clock, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

int64_t shim_monotonic_nanoseconds(void) { return nanoseconds(CLOCK_MONOTONIC); }

int64_t shim_boot_nanoseconds(void) { return nanoseconds(CLOCK_BOOTTIME); }

void shim_return_large_memory(size_t limit) {
    mallopt(M_MMAP_THRESHOLD, (int)limit);
    mallopt(M_TRIM_THRESHOLD, (int)limit);
}

static int forget_object(struct dl_phdr_info *object, size_t size, void *context) {
    (void)size;
    (void)context;
    const uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
    for (int index = 0; index < object->dlpi_phnum; index++) {
        const ElfW(Phdr) *segment = &object->dlpi_phdr[index];
        // A writable segment may differ from the file, even if it was made read-only later. The last page of a
        // segment may also belong to the next one.
        if (segment->p_type != PT_LOAD || (segment->p_flags & PF_W) != 0) continue;
        uintptr_t start = (object->dlpi_addr + segment->p_vaddr) & ~(page - 1);
        uintptr_t end = (object->dlpi_addr + segment->p_vaddr + segment->p_memsz) & ~(page - 1);
        if (start < end) madvise((void *)start, end - start, MADV_DONTNEED);
    }
    return 0;
}

void shim_forget_code(void) { dl_iterate_phdr(forget_object, NULL); }
