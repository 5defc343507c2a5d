// Bytes that wait for a reader: first in memory, then in unlinked files. Nobody who writes to a spool ever waits
// for who reads from it.
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
    /// More than this is moved to a file.
    static let memoryLimit = 1024 * 1024
    /// With a file, memory only gathers writes.
    private static let gatherLimit = 128 * 1024
    /// A file that holds this much is followed by another. One is given back at a time: 100 MB at once would hold
    /// the loop up for 10 ms.
    private static let fileSize: Int64 = 8 * 1024 * 1024

    enum Failure: Error, Equatable {
        /// The spools of all requests hold as much as they may.
        case accountExhausted
        case file(SystemError)
    }

    private let account: SpoolAccount
    /// Unread bytes: those in the files first, then those in memory.
    private var memory: [UInt8] = []
    private var memoryHead = 0
    private var files: [SpoolFile] = []
    private var fileCount: Int64 = 0
    private var charged = 0

    init(account: SpoolAccount) { self.account = account }

    deinit { account.give(charged) }

    /// Unread bytes.
    var count: Int { Int(fileCount) + memory.count - memoryHead }
    var isInMemory: Bool { fileCount == 0 }

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

    private func commit(_ added: Int) throws(Failure) {
        try account.take(added)
        charged += added
        guard memory.count - memoryHead > (files.isEmpty ? Self.memoryLimit : Self.gatherLimit) else {
            return
        }
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
            let file = try fileToFill()
            let end = try Self.write(memory[memoryHead...], to: file.descriptor.number, at: file.end)
            fileCount += end - file.end
            file.end = end
            memoryHead = 0
            memory.removeAll(keepingCapacity: memory.capacity <= 4 * Self.gatherLimit)
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

    private func fileToFill() throws(SystemError) -> SpoolFile {
        if let last = files.last, last.end < Self.fileSize { return last }
        let folder = account.folder
        let number = try retrying("open a spool file in the state folder") { shim_open_unlinked(folder) }
        let file = SpoolFile(Descriptor(owning: number))
        files.append(file)
        return file
    }

    /// Sends unread bytes to a socket or a pipe, at most `limit` of them.
    func drain(to target: borrowing Descriptor, limit: Int) throws(SystemError) -> WriteOutcome {
        let outcome: WriteOutcome
        if fileCount > 0, let file = files.first {
            outcome = try send(file, to: target, limit: limit)
        } else {
            outcome = try target.write(memory[memoryHead...].prefix(limit))
            if case .sent(let count) = outcome { memoryHead += count }
        }
        if case .sent(let count) = outcome { didRead(count) }
        return outcome
    }

    private func send(
        _ file: SpoolFile, to target: borrowing Descriptor, limit: Int
    ) throws(SystemError) -> WriteOutcome {
        let socket = target.number
        let count: Int
        do throws(SystemError) {
            count = try retrying("sendfile") {
                shim_send_file(
                    socket, file.descriptor.number, file.head, min(limit, Int(file.end - file.head)))
            }
        } catch {
            if error.wouldBlock { return .wouldBlock }
            throw error
        }
        file.head += Int64(count)
        fileCount -= Int64(count)
        if file.head == file.end { files.removeFirst() }
        return .sent(count)
    }

    private func didRead(_ count: Int) {
        let paid = min(count, charged)
        account.give(paid)
        charged -= paid
        if memoryHead == memory.count {
            memory.removeAll(keepingCapacity: memory.capacity <= 4096)
            memoryHead = 0
        } else if memoryHead > max(memory.count / 2, Self.gatherLimit) {
            // A reader that never quite catches up must not keep what it has read.
            memory.removeFirst(memoryHead)
            memoryHead = 0
        }
    }
}

/// One file of a spool, written and read from its start to its end, and then let go of as a whole.
///
/// sendfile(2) hands out the file's pages themselves, and nobody knows when their last reader is done. So what was
/// sent is never written over, and no part is given back before the rest: punching a hole clears what of a page's folio it
/// meets, also in the reader's hands, while pages whose file goes stay as they are.
private final class SpoolFile {
    let descriptor: Descriptor
    var head: Int64 = 0
    var end: Int64 = 0

    init(_ descriptor: consuming Descriptor) { self.descriptor = descriptor }
}
