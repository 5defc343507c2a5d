// Bytes that many replies share: kept once, and sent to each reader from there.

final class SharedBytes {
    private enum Place {
        case memory([UInt8])
        case file(SpoolFile)
    }

    let count: Int
    private let place: Place
    private let account: SpoolAccount
    private var allocated = 0

    /// They are charged to the account even if it is exhausted, except for the allowance of a reply. Fails if they are
    /// too large for memory and find no file: each reader that does not read would keep others of them.
    init(_ bytes: [UInt8], account: SpoolAccount) throws(SystemError) {
        count = bytes.count
        self.account = account
        place = try Self.place(bytes, account)
        _ = account.budget.takeAnyway(price)
        if case .memory(let bytes) = place { account.store.didAllocate(bytes.capacity, was: &allocated) }
    }

    deinit {
        account.budget.give(price)
        account.store.didAllocate(0, was: &allocated)
    }

    private var price: Int { max(0, count - SpoolAccount.replyAllowance) }

    private static func place(_ bytes: [UInt8], _ account: SpoolAccount) throws(SystemError) -> Place {
        if bytes.count <= account.store.memoryLimit { return .memory(bytes) }
        let file = try SpoolFile(for: account)
        try file.append(bytes[...])
        return .file(file)
    }

    /// Nil if they are in a file.
    var memoryBytes: [UInt8]? {
        if case .memory(let bytes) = place { bytes } else { nil }
    }

    /// Sends the bytes from a position on, at most `limit` of them.
    func send(
        from position: Int, to target: borrowing Descriptor, limit: Int
    ) throws(SystemError) -> WriteOutcome {
        switch place {
        case .memory(let bytes): try target.write(bytes[position...].prefix(limit))
        case .file(let file): try file.send(from: Int64(position), to: target, limit: limit)
        }
    }
}
