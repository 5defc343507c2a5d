// What a service manager is told by sd_notify(3), at the other end of `NOTIFY_SOCKET`.
import CEpollShim
import Glibc
import TestSupport

final class NotifySocket {
    let path: String
    let descriptor: Int32
    private(set) var messages: [String] = []

    init(_ path: String) throws {
        self.path = path
        let kind = Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue) | Int32(SOCK_NONBLOCK.rawValue)
        descriptor = try checked("socket", socket(AF_UNIX, kind, 0))
        try checked("bind", shim_bind(descriptor, path))
    }

    deinit { close(descriptor) }

    /// Takes in what has come, without waiting.
    func receive() {
        var buffer = [UInt8](repeating: 0, count: 4096)
        while true {
            let count = recv(descriptor, &buffer, buffer.count, 0)
            guard count >= 0 else { return }
            messages += buffer[..<count].split(separator: UInt8(ascii: "\n")).map { Array($0).text }
        }
    }

    /// Waits for a line that starts with `prefix`, or for `count` of them, unless the process ends before.
    @discardableResult
    func line(_ prefix: String, count: Int = 1, from process: Spawned) throws -> String {
        let deadline = Deadline()
        while true {
            receive()
            let lines = messages.filter { $0.hasPrefix(prefix) }
            if lines.count >= count { return lines[0] }
            let ready = try deadline.wait(descriptor, process.pidfd, what: "\(prefix), not \(messages)")
            if ready == [false, true] {
                throw Overdue(what: "\(prefix): the process has ended, after \(messages)")
            }
        }
    }

    func forget() { messages = [] }

    /// Sends itself messages until there is no room for another, as if it did not read.
    func fill() throws {
        let sender = try checked("socket", shim_unix_datagram_socket())
        defer { close(sender) }
        try checked("connect", shim_connect(sender, path))
        while write(sender, "X=1", 3) > 0 {}
        guard errno == EAGAIN else { throw SystemFailure(call: "write") }
    }
}
