// Connected descriptors: one end for the part under test, the other for the test.
import CEpollShim
import Glibc
import TestSupport
import Testing

@testable import DokkuDaemon

/// Two connected sockets, or the two ends of a pipe. Neither end blocks.
final class ConnectedPair {
    private var ours: Descriptor?
    private var theirs: Descriptor?

    private init(_ numbers: [Int32]) {
        for number in numbers { _ = shim_set_nonblocking(number) }
        ours = Descriptor(owning: numbers[0])
        theirs = Descriptor(owning: numbers[1])
    }

    static func sockets() throws -> ConnectedPair {
        var numbers: [Int32] = [-1, -1]
        try checked(
            "socketpair", socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue) | O_CLOEXEC, 0, &numbers))
        return ConnectedPair(numbers)
    }

    /// Ours writes, theirs reads.
    static func pipe() throws -> ConnectedPair {
        var numbers: [Int32] = [-1, -1]
        try checked("pipe", shim_pipe(&numbers, 1, 1))
        return ConnectedPair(numbers.reversed())
    }

    /// Theirs writes, ours reads.
    static func readable() throws -> ConnectedPair {
        var numbers: [Int32] = [-1, -1]
        try checked("pipe", shim_pipe(&numbers, 1, 1))
        return ConnectedPair(numbers)
    }

    var theirNumber: Int32 { theirs?.number ?? -1 }

    func takeOurs() throws -> Descriptor {
        guard let end = ours.take() else { throw Overdue(what: "our end, which was taken already") }
        return end
    }

    func closeTheirs() { theirs = nil }

    func send(_ bytes: [UInt8]) throws {
        let number = theirNumber
        let sent = try checked("write", write(number, bytes, bytes.count))
        #expect(sent == bytes.count)
    }

    func send(_ text: String) throws { try send(Array(text.utf8)) }

    /// What has come to the test's end by now, at most `limit` bytes.
    func receive(_ limit: Int = .max) throws -> [UInt8] {
        var received: [UInt8] = []
        var part = [UInt8](repeating: 0, count: 64 * 1024)
        while received.count < limit {
            let count = read(theirNumber, &part, min(part.count, limit - received.count))
            if count < 0, errno == EAGAIN { break }
            if count < 0 { throw SystemFailure(call: "read") }
            if count == 0 { break }
            received += part[..<count]
        }
        return received
    }

    /// True if the other side has closed and nothing is left to read.
    func hasEnded() -> Bool {
        var byte: UInt8 = 0
        let count = recv(theirNumber, &byte, 1, Int32(MSG_PEEK))
        // A socket that was closed with something unread says so by a reset.
        return count == 0 || count < 0 && errno == ECONNRESET
    }
}
