// Spools: first in, first out, in memory or in a file, within what all may hold.
import CEpollShim
import Foundation
import Glibc
import TestSupport
import Testing

@testable import DokkuDaemon

@Suite struct SpoolTests {
    private let folder: Folder
    private let account: SpoolAccount

    init() throws {
        folder = try Folder()
        account = SpoolAccount(folder: folder.path, limit: 64 << 20)
    }

    /// Everything that is left in a spool, through a socket or a pipe.
    private func drain(_ spool: Spool, through ends: ConnectedPair, limit: Int = 256 * 1024) throws -> [UInt8]
    {
        let target = try ends.takeOurs()
        var received: [UInt8] = []
        while spool.count > 0 {
            switch try spool.drain(to: target, limit: limit) {
            case .sent(let count): #expect(count > 0 && count <= limit)
            case .wouldBlock: received += try ends.receive()
            }
        }
        return received + (try ends.receive())
    }

    /// The spools' files, found by their folder: nobody else has one there.
    static func files(in folder: Folder) -> [stat] {
        OpenDescriptors.now.compactMap { number, file in
            var status = stat()
            guard file.hasPrefix(folder.path + "/#"), let number = Int32(number), fstat(number, &status) == 0
            else { return nil }
            return status
        }
    }

    // MARK: Order

    @Test func `bytes that fit stay in memory`() throws {
        let spool = Spool(account: account)
        #expect(spool.count == 0)
        #expect(spool.isInMemory)
        let sample = Sample.bytes(SpoolStore.plentyLimit)
        try spool.append { $0 += sample[..<1000] }
        try spool.append { $0 += sample[1000...] }
        #expect(spool.isInMemory)
        #expect(spool.count == sample.count)
        #expect(Array(spool.memoryBytes) == sample)
        #expect(account.budget.used == sample.count)
        #expect(Self.files(in: folder).isEmpty)
        #expect(try drain(spool, through: ConnectedPair.sockets()) == sample)
        #expect(account.budget.used == 0)
    }

    @Test(arguments: [true, false])
    func `order holds from memory to file`(isSocket: Bool) throws {
        let spool = Spool(account: account)
        let sample = Sample.bytes(3_000_000)
        for start in stride(from: 0, to: sample.count, by: 70_001) {
            try spool.append(sample[start..<min(start + 70_001, sample.count)].span)
            #expect(spool.count == min(start + 70_001, sample.count))
        }
        #expect(!spool.isInMemory)
        #expect(!Self.files(in: folder).isEmpty)
        let isSame = try drain(spool, through: isSocket ? .sockets() : .pipe()) == sample
        #expect(isSame)
        #expect(account.budget.used == 0)
    }

    @Test func `reading and writing take turns`() throws {
        let spool = Spool(account: account)
        let ends = try ConnectedPair.sockets()
        let socket = try ends.takeOurs()
        let sample = Sample.bytes(4_000_000)
        var written = 0
        var received: [UInt8] = []
        // Steps that share no factor: reads end now in the file, now in memory, now at what was just written.
        while received.count < sample.count {
            let next = min(written + 410_009, sample.count)
            if next > written { try spool.append(sample[written..<next].span) }
            written = next
            _ = try spool.drain(to: socket, limit: 390_011)
            received += try ends.receive()
            #expect(spool.count == written - received.count)
            #expect(account.budget.used == spool.count)
        }
        let isSame = received == sample
        #expect(isSame)
    }

    @Test func `a drained spool serves again`() throws {
        let spool = Spool(account: account)
        for count in [SpoolStore.plentyLimit + 5, 10, 200_000, 3_000_000] {
            let sample = Sample.bytes(count, from: count)
            try spool.append(sample.span)
            let isSame = try drain(spool, through: ConnectedPair.sockets()) == sample
            #expect(isSame)
            #expect(spool.isInMemory)
            #expect(Self.files(in: folder).isEmpty)
        }
        #expect(account.budget.used == 0)
    }

    /// sendfile(2) hands out the file's own pages: what becomes of the file must not reach who has yet to read them.
    @Test func `bytes on their way are not touched any more`() throws {
        let spool = Spool(account: account)
        let sample = Sample.bytes(20_000_000)
        let ends = try ConnectedPair.sockets()
        let socket = try ends.takeOurs()
        try spool.append(sample.span)
        var received: [UInt8] = []
        while spool.count > 0 {
            while spool.count > 0, case .sent = try spool.drain(to: socket, limit: 65_536) {}
            // By now everything that the spool does after sending is done.
            received += try ends.receive()
        }
        let isSame = received == sample
        #expect(isSame)
    }

    @Test func `a limited drain leaves the rest`() throws {
        let spool = Spool(account: account)
        let ends = try ConnectedPair.sockets()
        let socket = try ends.takeOurs()
        try spool.append(Array("abcdef".utf8).span)
        #expect(try spool.drain(to: socket, limit: 4) == .sent(4))
        #expect(spool.memoryBytes.elementsEqual("ef".utf8))
        #expect(spool.count == 2)
        #expect(account.budget.used == 2)
    }

    @Test func `a full reader is no error`() throws {
        let spool = Spool(account: account)
        let ends = try ConnectedPair.sockets()
        let socket = try ends.takeOurs()
        try spool.append(Sample.bytes(8_000_000).span)
        var sent = 0
        while case .sent(let count) = try spool.drain(to: socket, limit: .max) { sent += count }
        #expect(spool.count == 8_000_000 - sent)
        #expect(account.budget.used == spool.count)
    }

    // MARK: The account

    @Test func `an exhausted account leaves what was there`() throws {
        let account = SpoolAccount(folder: folder.path, limit: 1000)
        let spool = Spool(account: account)
        let sample = Sample.bytes(900)
        try spool.append(sample.span)
        #expect(throws: Spool.Failure.accountExhausted) { try spool.append(Sample.bytes(101).span) }
        #expect(Array(spool.memoryBytes) == sample)
        #expect(account.budget.used == 900)
        try spool.append(Sample.bytes(100).span)
        #expect(account.budget.used == 1000)
    }

    @Test func `an account is shared and given back`() throws {
        let account = SpoolAccount(folder: folder.path, limit: 3 << 20)
        var one: Spool? = Spool(account: account)
        let other = Spool(account: account)
        try one?.append(Sample.bytes(2 << 20).span)
        #expect(throws: Spool.Failure.accountExhausted) { try other.append(Sample.bytes(2 << 20).span) }
        #expect(other.count == 0)
        one = nil
        #expect(account.budget.used == 0)
        #expect(Self.files(in: folder).isEmpty)
        try other.append(Sample.bytes(2 << 20).span)
        #expect(account.budget.used == 2 << 20)
    }

    @Test func `bytes that must be kept are kept beyond the account`() throws {
        let account = SpoolAccount(folder: folder.path, limit: 10)
        let sample = Sample.bytes(25)
        do {
            let spool = Spool(account: account)
            #expect(spool.keep { $0 += sample[..<10] })
            #expect(!spool.keep { $0 += sample[10...] })
            #expect(spool.count == 25)
            #expect(account.budget.used == 25)
            #expect(try drain(spool, through: ConnectedPair.sockets()) == sample)
            #expect(account.budget.used == 0)
            #expect(!spool.keep { $0 += sample })
        }
        #expect(account.budget.used == 0)
    }

    @Test func `each connection has its first file whatever others take`() throws {
        let account = SpoolAccount(folder: folder.path, limit: 64 << 20, files: 4, firstFiles: 3)
        let parts = (0..<4).map { _ in account.connectionShare }
        var places: [Reservation] = []
        func take(_ part: Int) -> Bool {
            guard let place = parts[part].reserveFile() else { return false }
            places.append(place)
            return true
        }
        #expect(take(0) && take(0) && take(0) && !take(0))
        #expect(account.firstFiles.used == 1 && account.files.used == 2)
        #expect(take(1) && account.files.used == 2)
        #expect(take(1) && !take(1) && account.files.used == 3)
        // Nothing is left to be shared.
        #expect(take(2) && !take(2))
        // And then no first files either.
        #expect(!take(3))
        places = []
        #expect(account.firstFiles.used == 0 && account.files.used == 0)
        let many = SpoolAccount(folder: folder.path, limit: 1, firstFiles: 100)
        #expect(many.restrictedShare.firstFiles.free == 75)
    }

    @Test func `an owner with all its files keeps the rest in memory`() throws {
        let account = SpoolAccount(folder: folder.path, limit: 64 << 20, files: 1)
        let sample = Sample.bytes(2 << 20)
        let tooMany = Spool.Failure.file(SystemError(call: "open", number: EMFILE))
        var one: Spool? = Spool(account: account)
        let other = Spool(account: account)
        try one?.append(sample.span)
        #expect(throws: tooMany) { try other.append(sample.span) }
        #expect(other.count == 0 && account.budget.used == sample.count)
        try other.append { $0 += sample[..<1000] }
        #expect(one?.count == sample.count)
        one = nil
        try other.append { $0 += sample[1000...] }
        #expect(try drain(other, through: ConnectedPair.sockets()) == sample)
        #expect(account.files.used == 0)
    }

    // MARK: Faults of the file

    @Test func `a missing folder costs only what does not fit`() throws {
        let account = SpoolAccount(folder: folder.path("none"), limit: 64 << 20)
        let spool = Spool(account: account)
        let sample = Sample.bytes(SpoolStore.plentyLimit)
        try spool.append(sample.span)
        #expect(throws: Spool.Failure.file(SystemError(call: "open", number: ENOENT))) {
            try spool.append([UInt8(1)].span)
        }
        #expect(account.budget.used == sample.count)
        #expect(!spool.keep { $0.append(2) })
        #expect(account.budget.used == sample.count + 1)
        #expect(try drain(spool, through: ConnectedPair.sockets()) == sample + [2])
        #expect(account.budget.used == 0)
        try spool.append([UInt8(3)].span)
        #expect(spool.count == 1)
    }

    @Test func `bytes that find no room leave no memory behind`() throws {
        let account = SpoolAccount(folder: folder.path("none"), limit: 64 << 20)
        let spool = Spool(account: account)
        try spool.append([UInt8(1)].span)
        #expect(throws: Spool.Failure.self) { try spool.append(Sample.bytes(2 << 20).span) }
        #expect(account.store.memory <= 4096 && spool.count == 1)
    }

    @Test func `a file in the folder's place costs only what does not fit`() throws {
        let account = SpoolAccount(folder: try folder.write("", to: "file"), limit: 64 << 20)
        let spool = Spool(account: account)
        #expect(throws: Spool.Failure.file(SystemError(call: "open", number: ENOTDIR))) {
            try spool.append(Sample.bytes(SpoolStore.plentyLimit + 1).span)
        }
        #expect(spool.count == 0)
    }

    // MARK: A reader that never catches up

    /// Else whoever sends it would try for ever.
    @Test func `a file that has become shorter is an error`() throws {
        let spool = Spool(account: account)
        try spool.append(Sample.bytes(2 * SpoolStore.plentyLimit).span)
        for (number, file) in OpenDescriptors.now where file.hasPrefix(folder.path + "/#") {
            #expect(ftruncate(try #require(Int32(number)), 0) == 0)
        }
        let target = try ConnectedPair.sockets().takeOurs()
        let error = #expect(throws: SystemError.self) { _ = try spool.drain(to: target, limit: 1000) }
        #expect(error?.number == EIO)
    }

    @Test func `memory does not grow behind a reader that never catches up`() throws {
        let spool = Spool(account: account)
        let ends = try ConnectedPair.sockets()
        let socket = try ends.takeOurs()
        let part = Sample.bytes(64 * 1024)
        try spool.append(part.span)
        for _ in 0..<100 {
            try spool.append(part.span)
            try #require(try spool.drain(to: socket, limit: part.count) == .sent(part.count))
            try #require(try ends.receive().count == part.count)
        }
        #expect(spool.isInMemory)
        // The indices are those of the whole buffer, with what was read of it.
        #expect(spool.memoryBytes.endIndex <= 16 * part.count)
    }

    @Test func `files take little more room than what is unread`() throws {
        let spool = Spool(account: account)
        let ends = try ConnectedPair.sockets()
        let socket = try ends.takeOurs()
        let part = Sample.bytes(1 << 20)
        for _ in 0..<3 { try spool.append(part.span) }
        var blocks = 0
        for _ in 0..<40 {
            try spool.append(part.span)
            var rest = part.count
            while rest > 0 {
                if case .sent(let count) = try spool.drain(to: socket, limit: rest) { rest -= count }
                _ = try ends.receive()
            }
            blocks = max(blocks, Self.files(in: folder).map { Int($0.st_blocks) }.reduce(0, +))
        }
        #expect(blocks > 0)
        #expect(blocks * 512 <= 16 << 20)
    }
}
