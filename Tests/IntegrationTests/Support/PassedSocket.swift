// What a hostile client passes: a socket whose last close waits, for whoever does it.
import CEpollShim
import Glibc
import TestSupport

/// A TCP connection to nobody who reads, with its send buffer full and SO_LINGER set: its last close waits as
/// long as that says, socket(7).
final class LingeringSocket {
    private var descriptor: Int32
    /// For whoever passes it with others.
    var number: Int32 { descriptor }
    private let listener: Int32

    init(linger seconds: Int32) throws {
        let kind = Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue)
        listener = try checked("socket", socket(AF_INET, kind, 0))
        descriptor = try checked(
            "socket", socket(AF_INET, kind | Int32(SOCK_NONBLOCK.rawValue), 0))
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        var size = socklen_t(MemoryLayout<sockaddr_in>.size)
        let length = size
        try withUnsafeMutablePointer(to: &address) { pointer in
            try pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                try checked("bind", bind(listener, address, length))
                try checked("listen", listen(listener, 1))
                try checked("getsockname", getsockname(listener, address, &size))
                if connect(descriptor, address, length) != 0, errno != EINPROGRESS {
                    throw SystemFailure(call: "connect")
                }
            }
        }
        var linger = Glibc.linger(l_onoff: 1, l_linger: seconds)
        try checked(
            "setsockopt",
            setsockopt(
                descriptor, SOL_SOCKET, SO_LINGER, &linger, socklen_t(MemoryLayout.size(ofValue: linger)))
        )
        try Deadline().wait(descriptor, for: POLLOUT, what: "the TCP connection")
        let bytes = [UInt8](repeating: 0, count: 1 << 20)
        while write(descriptor, bytes, bytes.count) > 0 {}
    }

    deinit {
        // The test is not to wait either.
        var none = Glibc.linger(l_onoff: 0, l_linger: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &none, socklen_t(MemoryLayout.size(ofValue: none)))
        close(descriptor)
        close(listener)
    }

    /// Passes it through a socket, along with a byte. False where the kernel refuses that.
    func isPassed(through socket: Int32) throws -> Bool { try passFile(descriptor, through: socket) }

    /// Likewise, and leaves it to whoever receives it. Where the kernel refuses that it stays as it is.
    func leave(to socket: Int32, flags: Int = 0) throws {
        if try passFile(descriptor, through: socket, flags: flags) { abandon() }
    }

    /// Lets go of it, where somebody else has it too: whoever has it alone waits.
    func abandon() {
        close(descriptor)
        descriptor = -1
    }
}

/// Passes a file along with a byte. False where the kernel refuses that.
func passFile(_ file: Int32, through socket: Int32, flags: Int = 0) throws -> Bool {
    try passFiles([file], with: [UInt8(ascii: "x")], through: socket, flags: flags)
}

/// Passes files by SCM_RIGHTS, unix(7), with the first of these bytes. False where the kernel refuses that.
func passFiles(_ files: [Int32], with bytes: [UInt8], through socket: Int32, flags: Int = 0) throws -> Bool {
    // A cmsghdr (length, level, type) and the numbers, padded to a word.
    var control: [Int32] = [0, 0, SOL_SOCKET, Int32(SCM_RIGHTS)] + files
    control[0] = Int32(16 + 4 * files.count)
    if files.count % 2 == 1 { control.append(0) }
    var bytes = bytes
    let sent = bytes.withUnsafeMutableBytes { bytes in
        var part = iovec(iov_base: bytes.baseAddress, iov_len: bytes.count)
        return control.withUnsafeMutableBytes { control in
            withUnsafeMutablePointer(to: &part) { part in
                var message = msghdr()
                message.msg_iov = part
                message.msg_iovlen = 1
                message.msg_control = control.baseAddress
                message.msg_controllen = control.count
                return sendmsg(socket, &message, Int32(flags) | Int32(MSG_NOSIGNAL))
            }
        }
    }
    if sent < 0, errno == EPERM { return false }
    return try checked("sendmsg", sent) == bytes.count
}
