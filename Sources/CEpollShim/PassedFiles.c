// Files that a peer passes through a unix socket (SCM_RIGHTS, unix(7)): they are refused, detected before they are
// received, taken, and closed where nobody waits.
#define _GNU_SOURCE
#include "CEpollShim.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

// By number: the kernel may be newer than the headers of the build.
enum { SHIM_SO_PASSPIDFD = 76, SHIM_SO_PASSRIGHTS = 83 };

static int set(int socket, int option, int value) {
    return setsockopt(socket, SOL_SOCKET, option, &value, sizeof value);
}

int shim_refuse_files(int listener) { return set(listener, SHIM_SO_PASSRIGHTS, 0); }

int shim_takes_files(int connection) {
    int value = 1;
    socklen_t size = sizeof value;
    return getsockopt(connection, SOL_SOCKET, SHIM_SO_PASSRIGHTS, &value, &size) != 0 || value != 0;
}

void shim_expect_files(int connection) {
    // Without this, a read discards an urgent byte and closes the files that came with it.
    set(connection, SO_OOBINLINE, 1);
    // If the socket unit asks for these, the kernel adds control messages of its own, which would look like files.
    set(connection, SO_PASSCRED, 0);
    set(connection, SO_PASSSEC, 0);
    set(connection, SHIM_SO_PASSPIDFD, 0);
}

ssize_t shim_read_unless_files(int connection, void *buffer, size_t size) {
    struct iovec part = {.iov_base = buffer, .iov_len = size};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
    ssize_t count = recvmsg(connection, &message, MSG_PEEK);
    if (count <= 0) return count;
    // There is no room for control messages, so a truncated one means files. The peek closes only a copy of each
    // file, not the last.
    if ((message.msg_flags & MSG_CTRUNC) != 0) {
        errno = EPERM;
        return -1;
    }
    // Files that arrive meanwhile come with later bytes, and nobody else reads this socket.
    return read(connection, buffer, (size_t)count);
}

void shim_take_files(int socket) { set(socket, SHIM_SO_PASSRIGHTS, 1); }

ssize_t shim_read_with_files(int connection, void *buffer, size_t size, struct shim_files *files) {
    // Room for three, and not for a fourth.
    union {
        struct cmsghdr header;
        char bytes[CMSG_LEN(sizeof files->numbers)];
    } control;
    memset(files, 0, sizeof *files);
    struct iovec part = {.iov_base = buffer, .iov_len = size};
    struct msghdr message = {
        .msg_iov = &part, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = CMSG_LEN(sizeof files->numbers)};
    // A peek gives copies of the files, and the message keeps them. So what there is no room for is not closed.
    ssize_t count = recvmsg(connection, &message, MSG_PEEK | MSG_CMSG_CLOEXEC);
    if (count <= 0) return count;
    files->has_more = (message.msg_flags & MSG_CTRUNC) != 0;
    const struct cmsghdr *header = CMSG_FIRSTHDR(&message);
    if (header != NULL && header->cmsg_level == SOL_SOCKET && header->cmsg_type == SCM_RIGHTS) {
        files->count = (int)((header->cmsg_len - CMSG_LEN(0)) / sizeof(int));
        memcpy(files->numbers, CMSG_DATA(header), (size_t)files->count * sizeof(int));
    }
    if (files->has_more) return count;
    // The message's own files are closed here, and each has a copy.
    ssize_t taken;
    do taken = read(connection, buffer, (size_t)count);
    while (taken < 0 && errno == EINTR);
    return taken;
}

// A served file has this type of handle, and asking for it asks nobody.
static int is_served(int descriptor) {
    enum { FUSE_HANDLE = 0x81, FUSE_HANDLE_WITH_PARENT = 0x82 };
    union {
        struct file_handle handle;
        char bytes[sizeof(struct file_handle) + MAX_HANDLE_SZ];
    } space;
    int mount = 0;
    space.handle.handle_bytes = MAX_HANDLE_SZ;
    if (name_to_handle_at(descriptor, "", &space.handle, &mount, AT_EMPTY_PATH) != 0) return 0;
    return space.handle.handle_type == FUSE_HANDLE || space.handle.handle_type == FUSE_HANDLE_WITH_PARENT;
}

// Nobody can ever write to it.
static int is_sealed(int descriptor) {
    int seals = fcntl(descriptor, F_GET_SEALS);
    return seals >= 0 && (seals & F_SEAL_WRITE) != 0 && (seals & F_SEAL_GROW) != 0;
}

static enum shim_file_kind kind_of_file(int descriptor, uint64_t size) {
    if (is_served(descriptor)) return shim_kind_served;
    return size == 0 && is_sealed(descriptor) ? shim_kind_null : shim_kind_regular;
}

static enum shim_file_kind kind_of_device(unsigned major, unsigned minor) {
    // By number, Documentation/admin-guide/devices.txt of Linux.
    enum { MEMORY = 1, NULL_DEVICE = 3, FIRST_PTY = 136, LAST_PTY = 143 };
    if (major == MEMORY && minor == NULL_DEVICE) return shim_kind_null;
    return FIRST_PTY <= major && major <= LAST_PTY ? shim_kind_pty : shim_kind_device;
}

enum shim_file_kind shim_kind_of_file(int descriptor) {
    struct statx status;
    // fstat(2) would wait for whoever serves the file.
    const unsigned asked = STATX_TYPE | STATX_SIZE;
    if (statx(descriptor, "", AT_EMPTY_PATH | AT_STATX_DONT_SYNC, asked, &status) != 0) return shim_kind_other;
    switch (status.stx_mode & S_IFMT) {
        case S_IFREG: return kind_of_file(descriptor, status.stx_size);
        case S_IFIFO: return shim_kind_pipe;
        case S_IFCHR: return kind_of_device(status.stx_rdev_major, status.stx_rdev_minor);
        default: return shim_kind_other;
    }
}

static void close_all(unsigned first, unsigned last) {
    if (first <= last) syscall(SYS_close_range, first, last, 0);
}

static void close_all_but(const int kept[], size_t count) {
    unsigned next = 0;
    for (size_t index = 0; index < count; index++) {
        unsigned number = (unsigned)kept[index];
        if (number > 0) close_all(next, number - 1);
        next = number + 1;
    }
    close_all(next, ~0u);
}

static void exit_in_a_second(void) {
    struct timespec rest = {.tv_sec = 1};
    while (nanosleep(&rest, &rest) != 0 && errno == EINTR) continue;
    _exit(0);
}

pid_t shim_fork_to_close(const int kept[], size_t count, int gate) {
    pid_t pid = fork();
    if (pid != 0) return pid;
    close_all_but(kept, count);
    char byte;
    while (read(gate, &byte, 1) < 0 && errno == EINTR) continue;
    // A child that was being started at the fork may also hold these descriptors until its exec.
    exit_in_a_second();
    return -1;
}

// A process that shares the table of descriptors, not the memory. close(2) frees a number before it waits for anything.
static pid_t fork_sharing_descriptors(void) {
    pid_t pid = (pid_t)syscall(SYS_clone, CLONE_FILES | SIGCHLD, 0, 0, 0, 0);
    if (pid == 0) prctl(PR_SET_PDEATHSIG, SIGKILL);
    return pid;
}

pid_t shim_close_out_of_the_way(int number) {
    pid_t pid = fork_sharing_descriptors();
    if (pid == 0) {
        close(number);
        _exit(0);
    }
    // Only for the time that a process takes to begin. It is limited, because the process may be killed.
    for (int attempt = 0; pid > 0 && attempt < 1000 && fcntl(number, F_GETFD) >= 0; attempt++) {
        struct timespec moment = {.tv_nsec = 20 * 1000};
        nanosleep(&moment, NULL);
    }
    return pid;
}

pid_t shim_close_elsewhere(const int numbers[], size_t count) {
    pid_t pid = fork_sharing_descriptors();
    if (pid != 0) return pid;
    // Copies of the files, so that no close here is the last: only a process that exits does not wait for the unsent
    // bytes of a socket. They stay a little longer than the closes take that have nothing to wait for.
    if (syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0) == 0) {
        close_all_but(numbers, count);
        exit_in_a_second();
    }
    for (size_t index = 0; index < count; index++) close(numbers[index]);
    _exit(0);
}
