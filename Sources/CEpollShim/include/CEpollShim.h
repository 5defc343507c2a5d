// What Swift's Glibc module lacks of Linux (epoll, signalfd, pidfd, accept4, …), and what the
// daemon uses of libsystemd. Nothing here decides anything: a function is a system call, or the few that
// always go together.
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
// Swift takes an optional pointer for this one: not so with the declaration of glibc 2.41.
int shim_epoll_wait(int epoll, struct epoll_event *events, int capacity, int milliseconds);
static inline uint64_t shim_event_token(const struct epoll_event *event) { return event->data.u64; }

// accept4(2) with SOCK_NONBLOCK and SOCK_CLOEXEC.
int shim_accept(int listener);
// A stream socket of the unix family, with SOCK_NONBLOCK and SOCK_CLOEXEC.
int shim_unix_socket(void);
// Likewise for datagrams.
int shim_unix_datagram_socket(void);
// pipe2(2) with O_CLOEXEC; the ends named by the two flags do not block.
int shim_pipe(int ends[2], int nonblocking_read, int nonblocking_write);
// fcntl(2) F_SETPIPE_SZ.
int shim_set_pipe_size(int descriptor, int size);
// An unlinked file in a folder (O_TMPFILE), for reading and writing.
int shim_open_unlinked(const char *folder);
// An empty file without a name that stays empty whoever opens it, memfd_create(2) with all seals.
int shim_sealed_empty_file(void);


// Has the kernel refuse files that are passed to a listening socket's connections (SO_PASSRIGHTS, Linux 6.16): the
// sender gets EPERM. It holds for connections made from then on. -1 with ENOPROTOOPT where the kernel cannot.
int shim_refuse_files(int listener);
// 0 for a connection on which they are refused.
int shim_takes_files(int connection);
// Prepares a connection through which files may be passed for `shim_read_unless_files`.
void shim_expect_files(int connection);
// read(2) of a unix socket that does not block, but -1 with EPERM where the bytes come with files: these stay in
// the socket. To receive or to discard a file may be its last close, which may take as long as its sender likes.
ssize_t shim_read_unless_files(int connection, void *buffer, size_t size);
// Forks a process that keeps the `kept` descriptors (ascending) and no others, until a second after the pipe `gate`,
// one of them, has ended. Returns its number, which the caller must reap, or -1.
pid_t shim_fork_to_close(const int kept[], size_t count, int gate);

// Raises the soft limit of descriptors (RLIMIT_NOFILE, getrlimit(2)) to `wanted`, as far as the hard one allows, and
// returns what is in force.
int shim_raise_descriptor_limit(int wanted);

struct shim_peer {
    int32_t pid;
    uint32_t uid;
    uint32_t gid;
};
// SO_PEERCRED, unix(7): who had the other end when it connected.
int shim_peer_credentials(int descriptor, struct shim_peer *peer);

// How many bytes wait in a stream socket of the unix family, ioctl(2) FIONREAD, and whether an end stands behind them, so
// that no more will come, poll(2) POLLRDHUP. -1 on error.
int shim_unread(int descriptor, int *has_end);

// pidfd_open(2), by number: glibc has a wrapper only since 2.36.
int shim_pidfd_open(pid_t pid);
// Signals the process group led by the pidfd's process (Linux 6.9), whatever became of its number since.
int shim_pidfd_signal_group(int pidfd, int signal);

// posix_spawn(3) as the daemon needs it: a session of its own, no signal blocked and all at their default action;
// descriptors 0, 1, 2 and 3 are the given ones (lock < 0: no descriptor 3).
// With `empties_output` descriptor 1 is the file behind `output`, opened anew and emptied: the child does so after all
// that can fail but the execution of the program.
// Returns 0 or an errno value.
struct shim_descriptors {
    int input, output, error, lock;
    int empties_output;
};
int shim_spawn(
    pid_t *pid, const char *path, char *const argv[], char *const envp[], struct shim_descriptors descriptors);

// Takes WNOHANG's answer apart, wait(2): 0 still running, 1 exited, 2 killed by a signal, -1 error.
int shim_wait(pid_t pid, int *value);

// sigabbrev_np(3): `TERM`; NULL for a signal without a name.
const char *shim_signal_abbreviation(int number);

// flock(2) LOCK_EX | LOCK_NB, and LOCK_UN.
int shim_lock(int descriptor);
int shim_unlock(int descriptor);

// sendfile(2) from an offset.
ssize_t shim_send_file(int to, int from, int64_t offset, size_t count);

// open(2) with a mode; always O_CLOEXEC.
int shim_open(const char *path, int flags, mode_t mode);
// O_PATH, open(2): names a file without opening it.
extern const int shim_path_only;
int shim_set_nonblocking(int descriptor);
// close_range(2): marks all descriptors from `first` on as close-on-exec (Linux 5.11).
int shim_close_on_exec_from(unsigned first);

// bind(2) of a unix socket to a path; ENAMETOOLONG where sun_path cannot hold it.
int shim_bind(int descriptor, const char *path);
// connect(2), likewise.
int shim_connect(int descriptor, const char *path);
// The path a unix socket is bound to, from getsockname(2); an empty string where it has none. -1 on error.
int shim_bound_path(int descriptor, char *path, size_t size);

int64_t shim_monotonic_nanoseconds(void);

// Has memory beyond the limit go back to the system when it is freed, mallopt(3): by itself malloc keeps more the more
// was once freed.
void shim_return_large_memory(size_t limit);

// Unmaps all code and constants until they are next used, when they come back from the page cache, madvise(2).
void shim_forget_code(void);
