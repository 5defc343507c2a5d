// The words of a command on their way from a line to the kernel.
import CJansson

/// The words of one command, as the child will get them: one after another in one buffer, each with a NUL at its
/// end. They are bytes, not strings, because a file name need not be UTF-8.
public struct ArgumentList: Sendable, Hashable {
    @usableFromInline var storage: [UInt8] = []
    /// The index of the NUL of each word.
    @usableFromInline var ends: [Int] = []

    @inlinable public init() {}

    @inlinable public var count: Int { ends.count }
    @inlinable public var isEmpty: Bool { ends.isEmpty }
    /// Allocated bytes.
    public var memory: Int { storage.capacity + ends.capacity * MemoryLayout<Int>.stride }

    /// Word `index` without its NUL.
    @inlinable public subscript(index: Int) -> ArraySlice<UInt8> {
        storage[(index == 0 ? 0 : ends[index - 1] + 1)..<ends[index]]
    }

    /// Word `index` for people: U+FFFD replaces what is not UTF-8.
    public func text(_ index: Int) -> String { String(decoding: self[index], as: UTF8.self) }

    @inlinable public func word(_ index: Int, is text: StaticString) -> Bool {
        let start = index == 0 ? 0 : ends[index - 1] + 1
        let count = ends[index] - start
        guard count == text.utf8CodeUnitCount else { return false }
        return storage.withUnsafeBytes { bytes in
            text.withUTF8Buffer { text in
                guard let word = bytes.baseAddress, let text = text.baseAddress else { return count == 0 }
                return bytes_equal(word + start, text, count) != 0
            }
        }
    }

    /// True if a word is exactly `text`.
    @inlinable public func contains(_ text: StaticString) -> Bool {
        (0..<count).contains { word($0, is: text) }
    }

    /// Adds a byte, which is not NUL, to the word being written.
    public mutating func append(_ byte: UInt8) { storage.append(byte) }

    @inlinable public mutating func append(_ bytes: some Collection<UInt8>) {
        storage.append(contentsOf: bytes)
    }

    public mutating func append(_ bytes: Span<UInt8>) {
        bytes.withUnsafeBufferPointer { storage.append(contentsOf: $0) }
    }

    /// Ends the word being written, which may be empty.
    public mutating func endWord() {
        ends.append(storage.count)
        storage.append(0)
    }

    /// In one step: the words may have megabytes.
    public func hash(into hasher: inout Hasher) {
        storage.withUnsafeBytes { hasher.combine(bytes: $0) }
    }

    /// Keeps a buffer of usual size for the next words.
    public mutating func removeAll() {
        guard memory <= 16 * 1024 else {
            self = ArgumentList()
            return
        }
        storage.removeAll(keepingCapacity: true)
        // For a few words this is much faster than removing a range.
        while ends.popLast() != nil {}
    }

    /// The words without this one.
    public func without(_ word: Int) -> ArgumentList {
        var rest = ArgumentList()
        for index in 0..<count where index != word {
            rest.append(self[index])
            rest.endWord()
        }
        return rest
    }

    /// The words after one more.
    public func preceded(by word: String) -> ArgumentList {
        var all = ArgumentList([word])
        for index in 0..<count {
            all.append(self[index])
            all.endWord()
        }
        return all
    }

    /// Removes the last `count` words, and the word being written.
    public mutating func removeLast(_ count: Int) {
        ends.removeLast(count)
        storage.removeLast(storage.count - (ends.last.map { $0 + 1 } ?? 0))
    }

    /// Bytes of all words, NULs included.
    public var byteCount: Int { storage.count }

    public func hasWord(longerThan limit: Int) -> Bool {
        // All words together are usually shorter.
        storage.count > limit && (0..<count).contains { self[$0].count > limit }
    }

    /// Calls `body` with the words as execve(2) takes them: pointers to C strings, first those of `leading`, then a
    /// null pointer.
    public func withArgumentVector<Result>(
        after leading: ArgumentList, _ body: (UnsafePointer<UnsafeMutablePointer<CChar>?>) -> Result
    ) -> Result {
        var first = leading.storage
        var words = storage
        return first.withUnsafeMutableBytes { firstBytes in
            words.withUnsafeMutableBytes { bytes in
                var vector: [UnsafeMutablePointer<CChar>?] = []
                vector.reserveCapacity(leading.count + count + 1)
                leading.appendPointers(into: firstBytes, to: &vector)
                appendPointers(into: bytes, to: &vector)
                vector.append(nil)
                return body(vector)
            }
        }
    }

    private func appendPointers(
        into bytes: UnsafeMutableRawBufferPointer, to vector: inout [UnsafeMutablePointer<CChar>?]
    ) {
        var start = 0
        for end in ends {
            vector.append(bytes.baseAddress.map { ($0 + start).assumingMemoryBound(to: CChar.self) })
            start = end + 1
        }
    }
}

extension ArgumentList: ExpressibleByArrayLiteral {
    public init(arrayLiteral elements: String...) { self.init(elements) }

    public init(_ words: some Sequence<String>) {
        for word in words {
            append(word.utf8)
            endWord()
        }
    }
}
