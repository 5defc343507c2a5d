# Which system calls of the daemon are made to fail, and with which errors: those of their manual pages that can come
# although the daemon made no mistake. EPIPE is left out: it says that the reader has gone, which would be false. Errors
# that only a wrong argument causes (EBADF, EFAULT, EINVAL) end the daemon by design, see `retrying` in SystemError.swift.
from errno import (EACCES, EAGAIN, EBUSY, ECONNABORTED, ECONNREFUSED, ECONNRESET, EDQUOT, EEXIST, EFBIG, EINTR, EIO,
                   ELOOP, EMFILE, ENFILE, ENOBUFS, ENODEV, ENOENT, ENOLCK, ENOMEM, ENOPROTOOPT, ENOSPC, ENOSYS, ENOTCONN,
                   EOPNOTSUPP, EPERM, EPROTO, EROFS, ETXTBSY, E2BIG)

# No error, but only one byte is transferred.
SHORT = 0

_NO_DESCRIPTOR = [EMFILE, ENFILE, ENOMEM]
_DISK = [EIO, ENOSPC, EDQUOT, EFBIG]

# By call and kind of its descriptor; `none` if the kind does not matter.
ERRORS = {
    "accept4": {"none": [EMFILE, ENFILE, ENOBUFS, ENOMEM, ECONNABORTED, EPROTO, EPERM, EAGAIN, EINTR]},
    "access": {"none": [EACCES, ENOENT, ENOMEM, EIO]},
    "bind": {"none": [EACCES, ENOSPC, EROFS, ENOMEM]},
    "chdir": {"none": [EACCES]},
    "chmod": {"none": [EPERM, EROFS, EIO]},
    "close": {"stream": [EIO], "pipe": [EIO], "file": [EIO, EDQUOT, EINTR], "other": [EIO]},
    "close_range": {"none": [ENOSYS]},
    # The daemon connects to a stream to find out whether another daemon listens. ECONNREFUSED is one of the answers.
    "connect": {"stream": [ECONNREFUSED], "datagram": [EAGAIN, ECONNREFUSED, ENOENT, EACCES]},
    "epoll_create1": {"none": [EMFILE, ENFILE, ENOMEM]},
    "epoll_ctl": {kind: [ENOMEM, ENOSPC] for kind in ("stream", "pipe", "other")},
    "epoll_wait": {"none": [EINTR]},
    "fcntl": {"pipe": [EPERM, EBUSY, ENOMEM], "file": [EMFILE], "other": [EMFILE]},
    "flock": {"none": [EAGAIN, ENOLCK, EINTR]},
    "fork": {"none": [EAGAIN, ENOMEM]},
    "fstat": {"file": [EIO, ENOMEM]},
    "ftruncate": {"none": [EIO, EPERM, EINTR]},
    "getsockname": {"none": [ENOBUFS]},
    "getsockopt": {"none": [ENOBUFS, ENOPROTOOPT, EMFILE]},
    "listen": {"none": [ENOBUFS]},
    "lstat": {"none": [EACCES, ENOMEM]},
    "memfd_create": {"none": _NO_DESCRIPTOR},
    "mkdir": {"none": [EACCES, ENOSPC, EROFS, EEXIST]},
    "mkostemp": {"none": [ENOSPC, EACCES, EMFILE, EEXIST]},
    "open": {"none": [EACCES, EINTR, EIO, ELOOP, EMFILE, ENFILE, ENOMEM, ENOSPC, EROFS]},
    "pidfd_open": {"none": [EMFILE, ENFILE, ENOMEM, ENODEV]},
    "pidfd_send_signal": {"none": [ENOSYS]},
    "pipe2": {"none": [EMFILE, ENFILE]},
    "poll": {"none": [ENOMEM, EINTR]},
    "posix_spawn": {"none": [EAGAIN, ENOMEM, ENOENT, EACCES, E2BIG, ETXTBSY]},
    "pread": {"file": [EIO, EINTR, SHORT]},
    "pwrite": {"file": [*_DISK, EINTR, SHORT]},
    "read": {"stream": [ECONNRESET, ENOMEM, ENOBUFS, EAGAIN, EINTR, SHORT], "pipe": [EAGAIN, EINTR, SHORT],
             "file": [EIO, EINTR, SHORT], "other": [EAGAIN, EINTR]},
    "readlink": {"none": [ENOENT, EACCES]},
    "recvmsg": {"stream": [ECONNRESET, ENOMEM, ENOBUFS, EAGAIN, EINTR]},
    "rename": {"none": [EACCES, ENOSPC, EROFS]},
    "send": {"stream": [ENOBUFS, ENOMEM, EIO, EAGAIN, EINTR, SHORT]},
    "sendfile": {"stream": [EIO, ENOMEM, ENOBUFS, EAGAIN, EINTR, SHORT],
                 "pipe": [EIO, ENOMEM, EAGAIN, EINTR, SHORT]},
    "sendmsg": {"stream": [ENOBUFS, ENOMEM, EAGAIN, EINTR], "datagram": [ENOBUFS, EAGAIN]},
    "setrlimit": {"none": [EPERM]},
    "setsockopt": {"none": [ENOPROTOOPT]},
    "shutdown": {"none": [ENOTCONN]},
    "signalfd": {"none": _NO_DESCRIPTOR},
    "socket": {"none": [EACCES, EMFILE, ENFILE, ENOBUFS, ENOMEM]},
    "stat": {"none": [EACCES, EIO, ENOMEM]},
    "tmpfile": {"none": [EACCES, EIO, EMFILE, ENOSPC, EROFS, EOPNOTSUPP, EINTR]},
    "unlink": {"none": [EACCES, EROFS, EBUSY]},
    "waitpid": {"none": [EINTR]},
    "write": {"stream": [ENOBUFS, ENOMEM, EIO, EAGAIN, EINTR, SHORT],
              "datagram": [ENOBUFS, EAGAIN, ECONNREFUSED], "pipe": [ENOMEM, EAGAIN, EINTR, SHORT],
              "file": [*_DISK, EINTR, SHORT]},
}

# Errors that last until something is freed. All others concern one call.
LASTING = {EMFILE, ENFILE, ENOMEM, ENOBUFS, ENOSPC, EDQUOT, ENOLCK}

# After these errors the daemon can only end the connection.
ENDS_CONNECTION = {(call, "stream") for call in ("read", "recvmsg", "write", "send", "sendmsg", "sendfile", "epoll_ctl")}

_RUNTIME = "only Swift's runtime calls it, to report a crash"
_MEMORY = "without memory the daemon ends: Swift cannot go on"
# Calls that the daemon is linked to but that are not made to fail, and why.
LEFT_OUT = {
    "clock_gettime": "cannot fail", "getcwd": "a relative path is resolved once, before anything else",
    "exit": "does not return", "geteuid": "cannot fail",
    "getrlimit": "cannot fail", "nanosleep": "only while a process closes passed files",
    "getpid": "cannot fail", "time": "cannot fail",
    "fsync": "of a new file of kept jobs; the tests of the archive make its disk fail",
    "truncate": "of the reserve beside that file, likewise",
    "name_to_handle_at": "it fails for most file systems, which means that no process serves the file",
    "prctl": "only in a process that closes handed over files and then ends",
    "statx": "of a file that was handed over; if it fails, the file is used for nothing",
    "kill": "the daemon may signal a child that it has not reaped",
    "madvise": "advice: the result is ignored", "mmap": _MEMORY, "mprotect": _MEMORY,
    "clone": _RUNTIME, "dup2": _RUNTIME, "ioctl": _RUNTIME, "lseek": _RUNTIME, "openat": _RUNTIME,
    "sigaltstack": _RUNTIME, "socketpair": _RUNTIME,
    "syscall": "counted by its number: close_range, pidfd_open and pidfd_send_signal. If clone fails, it is tried again",
}
