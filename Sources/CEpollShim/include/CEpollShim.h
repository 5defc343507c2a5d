// What Swift's Glibc module lacks of Linux (epoll, signalfd, pidfd, accept4, …), and what the daemon uses of
// libsystemd. Each function is a system call, or the few that always go together; none decides anything.
#pragma once

#include <signal.h>
#include <spawn.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <sys/types.h>
#include <systemd/sd-daemon.h>

// epoll_ctl(2) and epoll_wait(2) with the 64-bit token as the event's data.
int shim_epoll_control(int epoll, int operation, int descriptor, uint32_t events, uint64_t token);
// Swift can pass an optional pointer to this one; glibc 2.41's own declaration forbids that.
int shim_epoll_wait(int epoll, struct epoll_event *events, int capacity, int milliseconds);
static inline uint64_t shim_event_token(const struct epoll_event *event) { return event->data.u64; }

// accept4(2) with SOCK_NONBLOCK and SOCK_CLOEXEC.
int shim_accept(int listener);
// A unix stream socket with SOCK_NONBLOCK and SOCK_CLOEXEC.
int shim_unix_socket(void);
// A unix datagram socket with the same flags.
int shim_unix_datagram_socket(void);
// pipe2(2) with O_CLOEXEC. The two flags say which ends do not block.
int shim_pipe(int ends[2], int nonblocking_read, int nonblocking_write);
// fcntl(2) F_SETPIPE_SZ.
int shim_set_pipe_size(int descriptor, int size);
// Opens an unlinked file in a folder (O_TMPFILE) for reading and writing.
int shim_open_unlinked(const char *folder);
// A nameless empty file that nobody can write to: memfd_create(2) with all seals.
int shim_sealed_empty_file(void);


// Makes the kernel refuse files that are passed to a listening socket's future connections (SO_PASSRIGHTS, Linux
// 6.16): the sender gets EPERM. Returns -1 with ENOPROTOOPT if the kernel cannot.
int shim_refuse_files(int listener);
// 0 if the kernel refuses files on this connection.
int shim_takes_files(int connection);
// Prepares a connection that may carry files for `shim_read_unless_files`.
void shim_expect_files(int connection);
// read(2) of a nonblocking unix socket. If files come with the bytes, everything stays in the socket, and it
// returns -1 with EPERM. Receiving or discarding a file may be its last close, which can take as long as its sender
// likes.
ssize_t shim_read_unless_files(int connection, void *buffer, size_t size);
// The same for a listening socket that takes files, and for each of its connections: an earlier daemon may have made
// the kernel refuse them.
void shim_take_files(int socket);
// What came with the bytes of a read.
struct shim_files {
    // Close-on-exec; the caller owns them.
    int numbers[3];
    int count;
    // More came, or not all could be taken. Then everything has stayed in the socket, and the socket must not be read
    // any more: a read would discard files.
    int has_more;
};
// read(2) of a nonblocking unix socket, and the files that come with the bytes, if they are three at most. No file is
// received or discarded for the last time, so it never waits. If it fails after files have come, these are in `files`.
ssize_t shim_read_with_files(int connection, void *buffer, size_t size, struct shim_files *files);

// What a descriptor of unknown origin is. It asks nobody who could make the caller wait.
enum shim_file_kind {
    shim_kind_other,
    shim_kind_regular,
    // A regular file whose close(2) waits for the process that serves it (FUSE).
    shim_kind_served,
    shim_kind_pipe,
    shim_kind_null,
    // The side of a pseudo-terminal that programs use.
    shim_kind_pty,
    shim_kind_device,
};
enum shim_file_kind shim_kind_of_file(int descriptor);
// Starts a process that closes these descriptors of the caller, and returns its process ID, which the caller must reap,
// or -1. It exits when all are closed. The caller must not use the numbers any more, and they are free once they are
// closed.
pid_t shim_close_elsewhere(const int numbers[], size_t count);
// The same for one descriptor, but returns when its number is free, so that no child that is started later has a copy: a
// child's exec closes its copies, and would wait.
pid_t shim_close_out_of_the_way(int number);

// Forks a process that keeps only the descriptors `kept` (ascending). It exits a second after the pipe `gate`, one
// of them, has ended. Returns its process ID, which the caller must reap, or -1.
pid_t shim_fork_to_close(const int kept[], size_t count, int gate);

// Raises the soft limit of descriptors (RLIMIT_NOFILE, getrlimit(2)) to `wanted`, as far as the hard limit allows.
// Returns the limit in force.
int shim_raise_descriptor_limit(int wanted);

struct shim_peer {
    int32_t pid;
    uint32_t uid;
    uint32_t gid;
};
// SO_PEERCRED, unix(7): the peer's credentials at its connect.
int shim_peer_credentials(int descriptor, struct shim_peer *peer);

// A pidfd of the peer's process (SO_PEERPIDFD, Linux 6.5). Returns -1 with ENOPROTOOPT if the kernel cannot, and with
// another error if there is no such process any more.
int shim_peer_pidfd(int connection);

// The number of unread bytes in a unix stream socket, FIONREAD; -1 on error. `has_end` is set if no more will come,
// POLLRDHUP of poll(2).
int shim_unread(int descriptor, int *has_end);

// pidfd_open(2) by number: glibc has a wrapper only since 2.36.
int shim_pidfd_open(pid_t pid);
// Signals the process group led by the pidfd's process (Linux 6.9), even if its number is in use again.
int shim_pidfd_signal_group(int pidfd, int signal);

// posix_spawn(3) as the daemon needs it: a new session, no blocked signals, all signals at their default action.
// Descriptors 0 to 3 are the given ones (lock < 0: no descriptor 3). With `empties_output`, descriptor 1 is the
// file behind `output`, reopened and truncated. The child does this after all other steps that can fail, except
// exec. Returns 0 or an errno value.
struct shim_descriptors {
    int input, output, error, lock;
    int empties_output;
};
int shim_spawn(
    pid_t *pid, const char *path, char *const argv[], char *const envp[], struct shim_descriptors descriptors);

// wait(2) with WNOHANG: 0 still running, 1 exited, 2 killed by a signal, -1 error. `value` is the status or the
// signal.
int shim_wait(pid_t pid, int *value);

// sigabbrev_np(3): `TERM`; NULL for a signal without a name.
const char *shim_signal_abbreviation(int number);

// flock(2) LOCK_EX | LOCK_NB, and LOCK_UN.
int shim_lock(int descriptor);
int shim_unlock(int descriptor);

// sendfile(2) from an offset, which it does not change.
ssize_t shim_send_file(int to, int from, int64_t offset, size_t count);

// open(2) with a mode; always O_CLOEXEC.
int shim_open(const char *path, int flags, mode_t mode);
// O_PATH, open(2): names a file without opening it.
extern const int shim_path_only;
int shim_set_nonblocking(int descriptor);
// close_range(2): marks all descriptors from `first` on as close-on-exec (Linux 5.11).
int shim_close_on_exec_from(unsigned first);

// bind(2) of a unix socket to a path; ENAMETOOLONG if sun_path cannot hold it.
int shim_bind(int descriptor, const char *path);
// connect(2), with the same limit.
int shim_connect(int descriptor, const char *path);
// The path that a unix socket is bound to, getsockname(2); an empty string if it has none. -1 on error.
int shim_bound_path(int descriptor, char *path, size_t size);

int64_t shim_monotonic_nanoseconds(void);
int64_t shim_boot_nanoseconds(void);

// Makes free(3) return memory beyond the limit to the system, mallopt(3). By default malloc keeps more after large
// blocks were freed.
void shim_return_large_memory(size_t limit);

// Unmaps all code and constants until their next use, which gets them from the page cache, madvise(2).
void shim_forget_code(void);
