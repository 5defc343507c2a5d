// A file descriptor with one owner, and the operations on it.
import CEpollShim
import Glibc

/// An open file descriptor. It is closed at the end of its owner, and passed on by `consuming`.
struct Descriptor: ~Copyable {
    let number: Int32

    /// Takes over a descriptor that nobody else closes.
    init(owning number: Int32) { self.number = number }

    deinit { close(number) }

    /// Gives up the number without closing it.
    consuming func relinquish() -> Int32 {
        let number = number
        discard self
        return number
    }
}

/// The outcome of a read that did not fail.
enum ReadOutcome: Equatable {
    case received(Int)
    case wouldBlock
    case end
}

/// The outcome of a write that did not fail.
enum WriteOutcome: Equatable {
    case sent(Int)
    case wouldBlock
}

/// Both ends of a pipe, until each has its owner.
final class PipeEnds {
    enum Ours { case read, write }

    private var ours: Descriptor?
    private let child: Descriptor

    fileprivate init(ours: Int32, theirs: Int32) {
        self.ours = Descriptor(owning: ours)
        child = Descriptor(owning: theirs)
    }

    /// The child's end.
    var theirs: Int32 { child.number }

    func takeOurs() -> Descriptor? { ours.take() }
}

extension Descriptor {
    /// Opens a file, always with close-on-exec.
    static func open(
        _ path: String, _ flags: Int32, mode: mode_t = 0
    ) throws(SystemError) -> Descriptor {
        Descriptor(owning: try retrying("open") { shim_open(path, flags, mode) })
    }

    /// Opens a file whose path need not be UTF-8. The path holds no NUL.
    static func open(
        _ path: [UInt8], _ flags: Int32, mode: mode_t = 0
    ) throws(SystemError) -> Descriptor {
        let terminated = path.map { CChar(bitPattern: $0) } + [0]
        return Descriptor(owning: try retrying("open") { shim_open(terminated, flags, mode) })
    }

    /// A new pipe. The daemon's end (`ours`) does not block; the child's end does.
    static func pipe(ours end: PipeEnds.Ours) throws(SystemError) -> PipeEnds {
        var ends: [Int32] = [-1, -1]
        _ = try retrying("pipe") { shim_pipe(&ends, end == .read ? 1 : 0, end == .write ? 1 : 0) }
        return end == .read
            ? PipeEnds(ours: ends[0], theirs: ends[1]) : PipeEnds(ours: ends[1], theirs: ends[0])
    }

    /// Makes a system call with the number, and repeats it if a signal interrupts it.
    @inline(__always) @discardableResult
    borrowing func call<Value: FixedWidthInteger>(
        _ name: StaticString, _ body: (Int32) -> Value
    ) throws(SystemError) -> Value {
        let number = number
        return try retrying(name) { body(number) }
    }

    /// The same, but gives nil if the call would have to wait (EAGAIN).
    @inline(__always)
    borrowing func attempt<Value: FixedWidthInteger>(
        _ name: StaticString, _ body: (Int32) -> Value
    ) throws(SystemError) -> Value? {
        do throws(SystemError) {
            return try call(name, body)
        } catch {
            if error.wouldBlock { return nil }
            throw error
        }
    }

    /// write(2). On a nonblocking descriptor it writes as much as it can without waiting.
    borrowing func write(_ bytes: ArraySlice<UInt8>) throws(SystemError) -> WriteOutcome {
        let count = try attempt("write") { number in
            bytes.withUnsafeBytes { Glibc.write(number, $0.baseAddress, $0.count) }
        }
        return count.map(WriteOutcome.sent) ?? .wouldBlock
    }

    /// read(2) of a file, up to `limit` bytes. Only memory that is written to is touched, which saves 1 ms at a
    /// start.
    borrowing func readStart(_ limit: Int) throws(SystemError) -> [UInt8] {
        try filled(limit) { read($0, $1, limit) }
    }

    /// pread(2) of a file, up to `limit` bytes; empty at its end.
    borrowing func readPart(_ limit: Int, at offset: Int) throws(SystemError) -> [UInt8] {
        try filled(limit) { pread($0, $1, limit, offset) }
    }

    private borrowing func filled(
        _ limit: Int, _ read: (Int32, UnsafeMutablePointer<UInt8>?) -> Int
    ) throws(SystemError) -> [UInt8] {
        let number = number
        var failure: SystemError?
        let bytes = [UInt8](unsafeUninitializedCapacity: limit) { buffer, count in
            do throws(SystemError) {
                count = try retrying("read") { read(number, buffer.baseAddress) }
            } catch {
                failure = error
            }
        }
        if let failure { throw failure }
        return bytes
    }

    /// Writes everything. The file must not be one that blocks.
    borrowing func writeAll(_ bytes: ArraySlice<UInt8>) throws(SystemError) {
        var rest = bytes
        while !rest.isEmpty {
            guard case .sent(let count) = try write(rest) else { throw .last("write") }
            rest = rest.dropFirst(count)
        }
    }

    borrowing func isRegularFile() throws(SystemError) -> Bool {
        var status = stat()
        try call("fstat") { fstat($0, &status) }
        return status.st_mode & S_IFMT == S_IFREG
    }
}
