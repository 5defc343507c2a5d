// Bytes that wait for a reader: first in memory, then in an unlinked file. Nobody who writes to a spool ever
// waits for who reads from it.
import CEpollShim
import Glibc

/// What all spools together may hold, and where their files are.
final class SpoolAccount {
    let folder: String
    /// Bytes, in memory and on disk.
    let limit: Int
    private(set) var used = 0

    init(folder: String, limit: Int) {
        self.folder = folder
        self.limit = limit
    }

    func take(_ count: Int) throws(Spool.Failure) {
        guard used + count <= limit else { throw .accountExhausted }
        used += count
    }

    func give(_ count: Int) { used -= count }
}

/// A first-in-first-out of bytes with one writer and one reader.
final class Spool {
    /// More than this is moved to the file.
    static let memoryLimit = 1024 * 1024
    /// With a file, memory only gathers writes.
    private static let gatherLimit = 128 * 1024
    /// As much of the file is given back at once: all of it at the end would hold the loop up, 12 ms for 100 MB.
    private static let releaseSize: Int64 = 1024 * 1024

    enum Failure: Error, Equatable {
        /// The spools of all requests hold as much as they may.
        case accountExhausted
        case file(SystemError)
    }

    private let account: SpoolAccount
    /// Unread bytes: those in the file first, then those in memory.
    private var memory: [UInt8] = []
    private var memoryHead = 0
    private var file: Descriptor?
    private var fileHead: Int64 = 0
    private var fileEnd: Int64 = 0
    /// What is before this is given back to the system.
    private var fileStart: Int64 = 0
    private var charged = 0

    init(account: SpoolAccount) { self.account = account }

    deinit { account.give(charged) }

    /// Unread bytes.
    var count: Int { Int(fileEnd - fileHead) + memory.count - memoryHead }
    var isInMemory: Bool { fileEnd == fileHead }

    /// The unread bytes of a spool that never left memory.
    var memoryBytes: ArraySlice<UInt8> { memory[memoryHead...] }

    /// Lets `body` append to the bytes in memory, and moves them to the file where they have become too many.
    /// Where that fails, what `body` added is gone and all else is as it was.
    func append(_ body: (inout [UInt8]) -> Void) throws(Failure) {
        let before = memory.count
        body(&memory)
        do throws(Failure) {
            try commit(memory.count - before)
        } catch {
            memory.removeLast(memory.count - before)
            throw error
        }
    }

    func append(_ bytes: Span<UInt8>) throws(Failure) {
        try append { memory in bytes.withUnsafeBufferPointer { memory.append(contentsOf: $0) } }
    }

    /// Appends in any case; false says that it is kept in memory because there is no room elsewhere.
    func keep(_ body: (inout [UInt8]) -> Void) -> Bool {
        let before = memory.count
        body(&memory)
        do throws(Failure) {
            try commit(memory.count - before)
            return true
        } catch {
            return false
        }
    }

    /// Takes back the bytes appended last, none of which was read.
    func removeLast(_ count: Int) {
        let inMemory = min(count, memory.count - memoryHead)
        memory.removeLast(inMemory)
        fileEnd -= Int64(count - inMemory)
        let paid = min(count, charged)
        account.give(paid)
        charged -= paid
    }

    private func commit(_ added: Int) throws(Failure) {
        try account.take(added)
        charged += added
        guard memory.count - memoryHead > (file == nil ? Self.memoryLimit : Self.gatherLimit) else { return }
        do throws(Failure) {
            try moveToFile()
        } catch {
            account.give(added)
            charged -= added
            throw error
        }
    }

    private func moveToFile() throws(Failure) {
        do throws(SystemError) {
            if file == nil { file = try openFile() }
            guard let number = file?.number else { return }
            fileEnd = try Self.write(memory[memoryHead...], to: number, at: fileEnd)
            memoryHead = 0
            memory.removeAll(keepingCapacity: memory.capacity <= 2 * Self.memoryLimit)
        } catch {
            throw .file(error)
        }
    }

    /// Writes everything and returns the position after it.
    private static func write(
        _ bytes: ArraySlice<UInt8>, to number: Int32, at start: Int64
    ) throws(SystemError) -> Int64 {
        var sent = 0
        while sent < bytes.count {
            sent += try retrying("pwrite") {
                bytes.withUnsafeBytes {
                    pwrite(number, $0.baseAddress.map { $0 + sent }, $0.count - sent, Int(start) + sent)
                }
            }
        }
        return start + Int64(sent)
    }

    private func openFile() throws(SystemError) -> Descriptor {
        let folder = account.folder
        return Descriptor(
            owning: try retrying("open a spool file in the state folder") { shim_open_unlinked(folder) })
    }

    /// Sends unread bytes to a socket or a pipe, at most `limit` of them.
    func drain(to target: borrowing Descriptor, limit: Int) throws(SystemError) -> WriteOutcome {
        let outcome: WriteOutcome
        if fileHead < fileEnd, let number = file?.number {
            outcome = try sendFromFile(number, to: target, limit: limit)
        } else {
            outcome = try target.write(memory[memoryHead...].prefix(limit))
            if case .sent(let count) = outcome { memoryHead += count }
        }
        if case .sent(let count) = outcome { didRead(count) }
        return outcome
    }

    private func sendFromFile(
        _ number: Int32, to target: borrowing Descriptor, limit: Int
    ) throws(SystemError) -> WriteOutcome {
        let socket = target.number
        let count: Int
        do throws(SystemError) {
            count = try retrying("sendfile") {
                shim_send_file(socket, number, fileHead, min(limit, Int(fileEnd - fileHead)))
            }
        } catch {
            if error.wouldBlock { return .wouldBlock }
            throw error
        }
        fileHead += Int64(count)
        if fileHead - fileStart >= Self.releaseSize {
            // A file system that cannot do this gives all back at the end.
            _ = shim_punch_hole(number, fileStart, Self.releaseSize)
            fileStart += Self.releaseSize
        }
        return .sent(count)
    }

    private func didRead(_ count: Int) {
        let paid = min(count, charged)
        account.give(paid)
        charged -= paid
        if fileHead == fileEnd, fileEnd > 0, let number = file?.number {
            _ = ftruncate(number, 0)
            fileHead = 0
            fileEnd = 0
            fileStart = 0
        }
        if memoryHead == memory.count {
            memory.removeAll(keepingCapacity: memory.capacity <= 4096)
            memoryHead = 0
        }
    }
}
