// Bytes that many replies have in common: made and kept once, and sent to each reader from there.

final class SharedBytes {
    private enum Place {
        case memory([UInt8])
        case file(SpoolFile)
    }

    let count: Int
    private let place: Place
    private let account: SpoolAccount
    private var allocated = 0

    /// They are taken from the account in any case, but for what each reply may have beside it.
    init(_ bytes: [UInt8], account: SpoolAccount) {
        count = bytes.count
        self.account = account
        place = Self.place(bytes, account)
        _ = account.budget.takeAnyway(price)
        if case .memory(let bytes) = place { account.store.didAllocate(bytes.capacity, was: &allocated) }
    }

    deinit {
        account.budget.give(price)
        account.store.didAllocate(0, was: &allocated)
    }

    private var price: Int { max(0, count - SpoolAccount.replyAllowance) }

    private static func place(_ bytes: [UInt8], _ account: SpoolAccount) -> Place {
        guard bytes.count > account.store.memoryLimit, let file = try? SpoolFile(for: account),
            (try? file.append(bytes[...])) != nil
        else { return .memory(bytes) }
        return .file(file)
    }

    /// Nil where they are in a file.
    var memoryBytes: [UInt8]? {
        if case .memory(let bytes) = place { bytes } else { nil }
    }

    /// Sends what stands at a position, at most `limit` bytes.
    func send(
        from position: Int, to target: borrowing Descriptor, limit: Int
    ) throws(SystemError) -> WriteOutcome {
        switch place {
        case .memory(let bytes): try target.write(bytes[position...].prefix(limit))
        case .file(let file): try file.send(from: Int64(position), to: target, limit: limit)
        }
    }
}
