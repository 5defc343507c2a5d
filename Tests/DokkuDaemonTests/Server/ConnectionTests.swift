// A client's socket: what the peer does is told from what the system fails to do.
import CEpollShim
import Glibc
import TestSupport
import Testing

@testable import DokkuDaemon

@Suite struct ConnectionTests {
    private let account = SpoolAccount(folder: "/tmp", limit: 1 << 20)

    @Test func `a write that the system fails is an error`() throws {
        var connection = Connection(try Descriptor.open("/dev/full", O_WRONLY), in: try EventLoop())
        _ = connection.send(account) { $0.append("x") }
        do throws(SystemError) {
            _ = try connection.flush()
            Issue.record("a full device takes nothing")
        } catch {
            #expect(error.number == ENOSPC)
        }
    }

    @Test func `a peer that reads nothing more is no error`() throws {
        let ends = try ConnectedPair.sockets()
        var connection = Connection(try ends.takeOurs(), in: try EventLoop())
        _ = connection.send(account) { $0.append("x") }
        let hasSent = try connection.flush()
        #expect(hasSent)
        #expect(shutdown(ends.theirNumber, Int32(SHUT_RD)) == 0)
        _ = connection.send(account) { $0.append("x") }
        let hasSentMore = try withoutBrokenPipeSignal { try connection.flush() }
        let (isDeaf, isHungUp) = (connection.isDeaf, connection.isHungUp)
        #expect(!hasSentMore && isDeaf && !isHungUp)
        let unsent = connection.outbox.unsentCount
        #expect(unsent == 0)
        // It may still have something to say.
        try ends.send("y")
        let outcome = try connection.read(into: ReadBuffer(), limit: 10, takingFiles: false) { _ in }.outcome
        #expect(outcome == .received(1))
    }

    @Test func `unread bytes are counted`() throws {
        let ends = try ConnectedPair.sockets()
        let connection = Connection(try ends.takeOurs(), in: try EventLoop())
        let before = connection.unread()
        try ends.send("abc")
        try ends.send("de")
        let after = connection.unread()
        #expect(shutdown(ends.theirNumber, Int32(SHUT_WR)) == 0)
        let atEnd = connection.unread()
        #expect(before == 0 && after == 5 && atEnd == nil)
    }
}
