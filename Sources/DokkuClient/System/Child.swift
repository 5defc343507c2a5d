// A program that the client starts.
import CClientShim
import Glibc

final class Child {
    enum End: Equatable {
        case exited(Int32)
        case signalled(Int32)
    }

    private let pid: pid_t
    private var known: End?

    /// Starts `words[0]`, searched in PATH, with these three descriptors as its standard ones. Signals that whoever started the
    /// client ignores stay ignored.
    init(_ words: [[UInt8]], _ descriptors: [Int32]) throws(SystemFailure) {
        let pointers = words.map { word in
            let copy = UnsafeMutablePointer<CChar>.allocate(capacity: word.count + 1)
            for (index, byte) in word.enumerated() { copy[index] = CChar(bitPattern: byte) }
            copy[word.count] = 0
            return copy
        }
        defer { for pointer in pointers { pointer.deallocate() } }
        let words: [UnsafeMutablePointer<CChar>?] = pointers + [nil]
        pid = try retrying { client_spawn(words, descriptors) }
    }

    func send(_ signal: Int32) { if known == nil { kill(pid, signal) } }

    /// Nil while it runs.
    var end: End? {
        if let known { return known }
        var value: Int32 = 0
        switch client_wait(pid, &value) {
        case 0: return nil
        case 1: known = .exited(value)
        default: known = .signalled(value)
        }
        return known
    }
}
