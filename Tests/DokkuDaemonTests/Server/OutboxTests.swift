// What a client has yet to receive comes whole and in order, at the client's pace.
import CEpollShim
import Glibc
import TestSupport
import Testing

@testable import DokkuDaemon

@Suite final class OutboxTests {
    private let folder: Folder
    private let account: SpoolAccount
    private let ends: ConnectedPair
    private let socket: Descriptor
    private var outbox = Outbox()
    private var received: [UInt8] = []

    init() throws {
        folder = try Folder()
        account = SpoolAccount(folder: folder.path, limit: 64 << 20)
        ends = try ConnectedPair.sockets()
        socket = try ends.takeOurs()
    }

    private var isEmpty: Bool { outbox.unsentCount == 0 }
    private var level: Outbox.Level { outbox.level }
    private var unsentCount: Int { outbox.unsentCount }

    private func append(_ bytes: [UInt8]) -> Bool { outbox.append(account) { $0 += bytes } }

    private func spool(_ bytes: [UInt8]) throws -> Spool {
        let spool = Spool(account: account)
        try spool.append(bytes.span)
        return spool
    }

    /// Sends and reads until nothing is left.
    private func finish() throws {
        while outbox.unsentCount > 0 {
            let before = unsentCount
            try outbox.flush(to: socket)
            let part = try ends.receive()
            received += part
            #expect(before - unsentCount == part.count)
            try #require(!part.isEmpty)
        }
    }

    @Test func `an empty outbox has nothing to send`() throws {
        #expect(isEmpty)
        try outbox.flush(to: socket)
        #expect(try ends.receive() == [])
    }

    @Test func `small lines leave together`() throws {
        #expect(append(Array("one\n".utf8)))
        #expect(append(Array("two\n".utf8)))
        #expect(unsentCount == 8)
        try outbox.flush(to: socket)
        #expect(isEmpty)
        #expect(try ends.receive() == Array("one\ntwo\n".utf8))
    }

    @Test func `a small reply is one piece with what stands around it`() throws {
        #expect(append(Array("{".utf8)))
        outbox.append(try spool(Array("inside".utf8)), account)
        #expect(append(Array("}\n".utf8)))
        #expect(unsentCount == 9)
        #expect(account.budget.used == 0)
        try outbox.flush(to: socket)
        #expect(try ends.receive() == Array("{inside}\n".utf8))
    }

    @Test(arguments: [100_000, 2_000_000])
    func `small and large replies keep their order`(count: Int) throws {
        let large = Sample.bytes(count)
        var expected: [UInt8] = []
        for number in 0..<4 {
            let small = Array("small \(number)\n".utf8)
            #expect(append(small))
            outbox.append(try spool(large), account)
            #expect(append(small))
            expected += small + large + small
        }
        #expect(unsentCount == expected.count)
        try finish()
        let isSame = received == expected
        #expect(isSame)
        #expect(account.budget.used == 0)
    }

    @Test func `lines behind a large reply wait for it`() throws {
        outbox.append(try spool(Sample.bytes(3_000_000)), account)
        #expect(append(Array("last\n".utf8)))
        try outbox.flush(to: socket)
        #expect(unsentCount > 5)
        received = try ends.receive()
        try finish()
        #expect(received.suffix(5).elementsEqual("last\n".utf8))
    }

    /// Memory is short, so that each reply is in a file by itself until it comes here.
    @Test func `many replies take one file`() throws {
        let account = SpoolAccount(folder: folder.path, limit: 64 << 20, files: 3)
        var others = 0
        account.store.didAllocate(100 << 20, was: &others)
        var expected: [UInt8] = []
        for number in 0..<50 {
            let reply = Sample.bytes(100_000 + number)
            let spool = Spool(account: account)
            try spool.append(reply.span)
            #expect(outbox.append(account) { $0 += Array("{".utf8) })
            outbox.append(spool, account)
            #expect(outbox.append(account) { $0 += Array("}".utf8) })
            expected += Array("{".utf8) + reply + Array("}".utf8)
        }
        #expect(unsentCount == expected.count && account.files.used == 1)
        try finish()
        let isSame = received == expected
        #expect(isSame)
        #expect(account.budget.used == 0 && account.files.used == 0)
    }

    /// As on a full disk.
    @Test func `a reply in a file stays there if there is no second room`() throws {
        let account = SpoolAccount(folder: folder.path, limit: 64 << 20, files: 1)
        var others = 0
        account.store.didAllocate(100 << 20, was: &others)
        let reply = Sample.bytes(100_000)
        let spool = Spool(account: account)
        try spool.append(reply.span)
        #expect(outbox.append(account) { $0 += Array("{".utf8) })
        outbox.append(spool, account)
        #expect(account.store.memory - others < 10_000)
        try finish()
        let isSame = received == Array("{".utf8) + reply
        #expect(isSame)
    }

    @Test func `bytes that a slow reader leaves go to spools`() throws {
        let part = Sample.bytes(40_000)
        var expected: [UInt8] = []
        for _ in 0..<100 {
            #expect(append(part))
            expected += part
        }
        #expect(unsentCount == expected.count)
        #expect(account.budget.used >= expected.count - Outbox.inlineLimit)
        #expect(!SpoolTests.files(in: folder).isEmpty)
        try finish()
        let isSame = received == expected
        #expect(isSame)
        #expect(account.budget.used == 0)
    }

    @Test func `new lines keep their place while a reader is slow`() throws {
        var expected: [UInt8] = []
        for round in 0..<60 {
            let part = Sample.bytes(61_007, from: round * 10_000)
            #expect(append(part))
            expected += part
            if round % 3 == 0 {
                let large = Sample.bytes(150_001, from: round)
                outbox.append(try spool(large), account)
                expected += large
            }
            try outbox.flush(to: socket)
            received += try ends.receive(30_011)
        }
        while received.count < expected.count {
            try outbox.flush(to: socket)
            received += try ends.receive()
        }
        let isSame = received == expected
        #expect(isSame)
        #expect(isEmpty)
    }

    @Test func `one turn sends a bounded share`() throws {
        // A pipe that is larger than a turn's share.
        let ends = try ConnectedPair.pipe()
        let pipe = try ends.takeOurs()
        try #require(shim_set_pipe_size(pipe.number, 1 << 20) >= 1 << 20)
        outbox.append(try spool(Sample.bytes(3_000_000)), account)
        try outbox.flush(to: pipe)
        #expect(unsentCount == 3_000_000 - Outbox.turnLimit)
    }

    @Test func `lines are kept and the writer is told if there is no room`() throws {
        let account = SpoolAccount(folder: folder.path, limit: 100_000)
        let part = Sample.bytes(70_000)
        #expect(outbox.append(account) { $0 += part })
        #expect(!outbox.append(account) { $0 += part })
        #expect(!outbox.append(account) { $0 += part })
        #expect(unsentCount == 210_000)
        // What has to be kept in any case is counted, too, and memory does not grow with it.
        #expect(account.budget.used == 210_000)
        try finish()
        let isSame = received == part + part + part
        #expect(isSame)
        #expect(account.budget.used == 0)
    }

    @Test func `lines are kept and the writer is told if there is no folder`() throws {
        let account = SpoolAccount(folder: folder.path("none"), limit: 64 << 20)
        let part = Sample.bytes(600_000)
        #expect(outbox.append(account) { $0 += part })
        #expect(!outbox.append(account) { $0 += part })
        try finish()
        let isSame = received == part + part
        #expect(isSame)
        #expect(account.budget.used == 0)
    }

    /// Memory is short, and there is no file: what is already there is kept, and nobody is asked for more.
    @Test func `no more is taken without a folder until all is sent`() throws {
        let account = SpoolAccount(folder: folder.path("none"), limit: 64 << 20)
        var others = 0
        account.store.didAllocate(100 << 20, was: &others)
        #expect(outbox.append(account) { $0 += Sample.bytes(1000) } && level == .usual)
        let part = Sample.bytes(5000)
        #expect(!outbox.append(account) { $0 += part } && level == .high)
        #expect(outbox.append(account) { $0 += [1] } && level == .high)
        // Whatever else comes behind it.
        outbox.append(try SharedBytes(Sample.bytes(4096 + 1), account: self.account), account)
        #expect(level == .high)
        try outbox.flush(to: socket)
        #expect(try ends.receive().count == 10_098 && level == .empty)
        #expect(outbox.append(account) { $0 += [1] } && level == .usual)
    }

    @Test func `discarded bytes are given back`() throws {
        outbox.append(try spool(Sample.bytes(2_000_000)), account)
        #expect(append(Sample.bytes(100_000)))
        #expect(account.budget.used == 2_100_000)
        outbox.discard()
        #expect(isEmpty)
        #expect(account.budget.used == 0)
        try outbox.flush(to: socket)
        #expect(try ends.receive() == [])
        #expect(append(Array("x".utf8)))
        try finish()
        #expect(received == Array("x".utf8))
    }

    @Test func `a reader that is gone is an error`() throws {
        ends.closeTheirs()
        #expect(append([1]))
        let error = try withoutBrokenPipeSignal {
            #expect(throws: SystemError.self) { try outbox.flush(to: socket) }
        }
        #expect(error?.number == EPIPE)
    }

    @Test func `memory does not grow behind a reader that never catches up`() throws {
        // A pipe takes exactly as much as was read from it.
        let ends = try ConnectedPair.pipe()
        let pipe = try ends.takeOurs()
        let part = Sample.bytes(16 * 1024)
        while unsentCount < 2 * part.count {
            #expect(append(part))
            try outbox.flush(to: pipe)
        }
        for _ in 0..<200 {
            #expect(append(part))
            _ = try ends.receive(part.count)
            try outbox.flush(to: pipe)
        }
        #expect(unsentCount == 2 * part.count)
        #expect((1...(8 * Outbox.inlineLimit)).contains(account.store.memory))
    }
}
