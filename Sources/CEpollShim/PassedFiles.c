// Files that a peer passes through a unix socket (SCM_RIGHTS, unix(7)): they are refused, detected before they are
// received, and closed where nobody waits.
#define _GNU_SOURCE
#include "CEpollShim.h"

#include <errno.h>
#include <sys/socket.h>
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

static void close_all(unsigned first, unsigned last) {
    if (first <= last) syscall(SYS_close_range, first, last, 0);
}

pid_t shim_fork_to_close(const int kept[], size_t count, int gate) {
    pid_t pid = fork();
    if (pid != 0) return pid;
    unsigned next = 0;
    for (size_t index = 0; index < count; index++) {
        unsigned number = (unsigned)kept[index];
        if (number > 0) close_all(next, number - 1);
        next = number + 1;
    }
    close_all(next, ~0u);
    char byte;
    while (read(gate, &byte, 1) < 0 && errno == EINTR) continue;
    // A child that was being started at the fork may also hold these descriptors until its exec.
    struct timespec rest = {.tv_sec = 1};
    while (nanosleep(&rest, &rest) != 0 && errno == EINTR) continue;
    _exit(0);
}
