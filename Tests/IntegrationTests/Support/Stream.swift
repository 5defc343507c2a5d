// Bytes from a socket or a pipe, read as lines or to the end, and given up on after a deadline.
import Glibc
import TestSupport

final class Stream {
    let descriptor: Int32
    private var buffer: [UInt8] = []
    private var scanned = 0

    /// Takes the descriptor over; it is closed with the stream.
    init(owning descriptor: Int32) { self.descriptor = descriptor }

    deinit { close(descriptor) }

    /// The next line without its LF. What stands after the last LF at the end is a line as well; an end
    /// with nothing left is nil.
    func line(patience: Duration = .patience) throws -> [UInt8]? {
        let deadline = Deadline(patience)
        while true {
            if let end = buffer[scanned...].firstIndex(of: UInt8(ascii: "\n")) {
                let line = Array(buffer[..<end])
                buffer.removeFirst(end + 1)
                scanned = 0
                return line
            }
            scanned = buffer.count
            if try !fill(deadline) {
                defer { buffer = [] }
                scanned = 0
                return buffer.isEmpty ? nil : buffer
            }
        }
    }

    /// Everything up to the end.
    func rest(patience: Duration = .patience) throws -> [UInt8] {
        let deadline = Deadline(patience)
        while try fill(deadline) {}
        defer { buffer = [] }
        scanned = 0
        return buffer
    }

    /// At least `count` bytes, of which the first `count` are returned; nil where it ends before.
    func bytes(_ count: Int) throws -> [UInt8]? {
        let deadline = Deadline()
        while buffer.count < count { if try !fill(deadline) { return nil } }
        defer { buffer.removeFirst(count) }
        scanned = 0
        return Array(buffer[..<count])
    }

    /// Everything up to the end of the first `text`, which is not taken before it has come.
    func upTo(_ text: String) throws -> String {
        let deadline = Deadline()
        let wanted = Array(text.utf8)
        while true {
            if let start = buffer.firstIndex(ofBytes: wanted) {
                defer { buffer.removeFirst(start + wanted.count) }
                scanned = 0
                return buffer[..<(start + wanted.count)].map(\.self).text
            }
            guard try fill(deadline) else {
                throw Overdue(what: "\(text), but the end came after \(buffer.text)")
            }
        }
    }

    /// Waits for more bytes; false at the end.
    private func fill(_ deadline: Deadline) throws -> Bool {
        let step = 1 << 18
        while true {
            try deadline.wait(
                descriptor, what: "bytes, after \(String(decoding: buffer.suffix(200), as: UTF8.self))")
            var count = 0
            let old = buffer.count
            buffer.reserveCapacity(old + step)
            let piece = [UInt8](unsafeUninitializedCapacity: step) { space, used in
                count = read(descriptor, space.baseAddress, step)
                used = max(count, 0)
            }
            if count > 0 {
                buffer += piece
                return true
            }
            if count == 0 { return false }
            if errno != EAGAIN && errno != EINTR { throw SystemFailure(call: "read") }
        }
    }
}

/// A whole file, or nothing if it cannot be read.
func contents(_ path: String) -> [UInt8] {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { return [] }
    return (try? Stream(owning: descriptor).rest()) ?? []
}

/// Writes all of it, also to a descriptor that does not block.
func writeAll(_ bytes: [UInt8], to descriptor: Int32) throws {
    let deadline = Deadline()
    var sent = 0
    while sent < bytes.count {
        let count = bytes[sent...].withUnsafeBytes { write(descriptor, $0.baseAddress, $0.count) }
        if count >= 0 {
            sent += count
        } else if errno == EAGAIN {
            try deadline.wait(descriptor, for: POLLOUT, what: "room to write")
        } else if errno != EINTR {
            throw SystemFailure(call: "write")
        }
    }
}

extension [UInt8] {
    var text: String { String(decoding: self, as: UTF8.self) }
}

extension [UInt8] {
    fileprivate func firstIndex(ofBytes wanted: [UInt8]) -> Int? {
        guard count >= wanted.count else { return nil }
        return (0...(count - wanted.count)).first { self[$0..<$0 + wanted.count].elementsEqual(wanted) }
    }
}
