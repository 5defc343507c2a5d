// Bytes that wait for a reader: first in memory, then in unlinked files. The writer never waits for the reader.

/// A first-in-first-out queue of bytes with one writer and one reader.
final class Spool {
    /// If there is a file, memory only gathers bytes for a write.
    private static let gatherLimit = 128 * 1024
    /// A file of this size is followed by another one. Files are freed one by one: freeing 100 MB at once would
    /// block the loop for 10 ms.
    private static let fileSize: Int64 = 8 * 1024 * 1024

    enum Failure: Error, Equatable {
        /// The account's budget is used up.
        case accountExhausted
        case file(SystemError)
    }

    private let account: SpoolAccount
    private let allowance: Int
    /// Unread bytes. Those in the files come first, then those in memory.
    private var memory: [UInt8] = []
    private var memoryHead = 0
    private var files: [SpoolFile] = []
    /// The number of bytes read from the first file.
    private var fileHead: Int64 = 0
    private var fileCount: Int64 = 0
    /// The memory that the store has counted for this spool.
    private var allocated = 0

    /// The first `allowance` unread bytes are not charged to the account, so that small contents are always kept.
    init(account: SpoolAccount, allowance: Int = 0) {
        self.account = account
        self.allowance = allowance
    }

    deinit {
        account.budget.give(price(of: count))
        account.store.didAllocate(0, was: &allocated)
    }

    /// Unread bytes.
    var count: Int { Int(fileCount) + memory.count - memoryHead }
    var isInMemory: Bool { fileCount == 0 }

    /// The unread bytes of a spool that never left memory.
    var memoryBytes: ArraySlice<UInt8> { memory[memoryHead...] }

    private func price(of count: Int) -> Int { max(0, count - allowance) }

    // MARK: Writing

    /// Lets `body` append to the bytes in memory, and moves them to a file if they are too many. If that fails,
    /// what `body` added is removed, and nothing else has changed.
    func append(_ body: (inout [UInt8]) -> Void) throws(Failure) {
        let before = memory.count
        let oldPrice = price(of: count)
        body(&memory)
        // Nothing needs no room.
        if memory.count == before { return }
        let added = price(of: count) - oldPrice
        do throws(Failure) {
            guard account.budget.take(added) else { throw .accountExhausted }
            do throws(SystemError) {
                try moveSurplus(to: memoryLimit)
            } catch {
                account.budget.give(added)
                throw .file(error)
            }
        } catch {
            memory.removeLast(memory.count - before)
            // Where there is no room for bytes, there is none for nothing.
            shrink()
            recount()
            throw error
        }
    }

    func append(_ bytes: Span<UInt8>) throws(Failure) {
        try append { memory in bytes.withUnsafeBufferPointer { memory.append(contentsOf: $0) } }
    }

    /// Appends in any case. False if the budget is exceeded, or if the bytes could not be moved to a file.
    func keep(_ body: (inout [UInt8]) -> Void) -> Bool {
        let oldPrice = price(of: count)
        body(&memory)
        let isWithin = account.budget.takeAnyway(price(of: count) - oldPrice)
        return (try? moveSurplus(to: memoryLimit)) != nil && isWithin
    }

    /// Call it when nothing more will be appended. It frees unused memory, and moves bytes to a file if all spools
    /// hold too much memory.
    func seal() {
        let limit = account.store.hasPlenty ? Self.gatherLimit : 0
        if !files.isEmpty || memory.count - memoryHead > account.store.memoryLimit {
            _ = try? moveSurplus(to: limit)
        }
        shrink()
        recount()
    }

    /// Frees unused memory.
    private func shrink() {
        guard memory.capacity - (memory.count - memoryHead) > 4096 else { return }
        // An array made of an array, or of all of its elements, would share its memory.
        memory = memory[memoryHead...].withUnsafeBufferPointer { Array($0) }
        memoryHead = 0
    }

    private var memoryLimit: Int {
        files.isEmpty ? account.store.memoryLimit : min(Self.gatherLimit, account.store.memoryLimit)
    }

    private func recount() { account.store.didAllocate(memory.capacity, was: &allocated) }

    private func moveSurplus(to limit: Int) throws(SystemError) {
        defer { recount() }
        guard memory.count - memoryHead > limit else { return }
        let file = try fileToFill()
        let before = file.end
        try file.append(memory[memoryHead...])
        fileCount += file.end - before
        memoryHead = 0
        let isUsual = memory.capacity <= 4 * Self.gatherLimit && account.store.hasPlenty
        memory.removeAll(keepingCapacity: isUsual)
    }

    private func fileToFill() throws(SystemError) -> SpoolFile {
        if let last = files.last, last.end < Self.fileSize { return last }
        let file = try SpoolFile(for: account)
        files.append(file)
        return file
    }

    // MARK: Reading

    /// All unread bytes; for small contents.
    func unreadBytes() throws(SystemError) -> [UInt8] {
        var bytes: [UInt8] = []
        for (index, file) in files.enumerated() { bytes += try file.read(from: index == 0 ? fileHead : 0) }
        return bytes + memory[memoryHead...]
    }

    /// Takes unread bytes, about `limit` of them at most.
    func take(_ limit: Int) throws(SystemError) -> [UInt8] {
        let before = count
        let bytes: [UInt8]
        if fileCount > 0, let file = files.first {
            bytes = try file.read(from: fileHead, limit: limit)
            didReadFile(bytes.count)
        } else {
            bytes = Array(memory[memoryHead...].prefix(limit))
            memoryHead += bytes.count
        }
        forgetRead()
        account.budget.give(price(of: before) - price(of: count))
        return bytes
    }

    /// Sends unread bytes to a socket or a pipe, at most `limit` of them.
    func drain(to target: borrowing Descriptor, limit: Int) throws(SystemError) -> WriteOutcome {
        let before = count
        if fileCount > 0, let file = files.first {
            let outcome = try file.send(from: fileHead, to: target, limit: limit)
            guard case .sent(let sent) = outcome else { return outcome }
            didReadFile(sent)
        } else {
            let outcome = try target.write(memory[memoryHead...].prefix(limit))
            guard case .sent(let sent) = outcome else { return outcome }
            memoryHead += sent
        }
        forgetRead()
        account.budget.give(price(of: before) - price(of: count))
        return .sent(before - count)
    }

    private func didReadFile(_ count: Int) {
        fileHead += Int64(count)
        fileCount -= Int64(count)
        if fileHead == files.first?.end {
            files.removeFirst()
            fileHead = 0
        }
    }

    private func forgetRead() {
        if memoryHead == memory.count {
            memory.removeAll(keepingCapacity: memory.capacity <= 4096)
            memoryHead = 0
        } else if memoryHead > max(memory.count / 2, Self.gatherLimit) {
            // A reader that never quite catches up must not keep the bytes that it has read.
            memory.removeFirst(memoryHead)
            memoryHead = 0
        } else {
            return
        }
        recount()
    }
}
