// A file descriptor with one owner, and what can be done with it.
import CEpollShim
import Glibc

/// An open file descriptor. Closed when its owner lets go of it; handed on by `consuming`.
struct Descriptor: ~Copyable {
    let number: Int32

    /// Takes over a descriptor that nobody else will close.
    init(owning number: Int32) { self.number = number }

    deinit { close(number) }

    /// Gives the number up without closing it.
    consuming func relinquish() -> Int32 {
        let number = number
        discard self
        return number
    }
}

/// What a read that did not fail found.
enum ReadOutcome: Equatable {
    case received(Int)
    case wouldBlock
    case end
}

/// What a write that did not fail did.
enum WriteOutcome: Equatable {
    case sent(Int)
    case wouldBlock
}

/// Both ends of a pipe until they go to who keeps them.
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
    /// Opens a file, always close-on-exec.
    static func open(
        _ path: String, _ flags: Int32, mode: mode_t = 0
    ) throws(SystemError) -> Descriptor {
        Descriptor(owning: try retrying("open") { shim_open(path, flags, mode) })
    }

    /// Likewise, where the path need not be UTF-8. It holds no NUL.
    static func open(
        _ path: [UInt8], _ flags: Int32, mode: mode_t = 0
    ) throws(SystemError) -> Descriptor {
        let terminated = path.map { CChar(bitPattern: $0) } + [0]
        return Descriptor(owning: try retrying("open") { shim_open(terminated, flags, mode) })
    }

    /// A new pipe. The end named as ours does not block; the other one, a child's, does.
    static func pipe(ours end: PipeEnds.Ours) throws(SystemError) -> PipeEnds {
        var ends: [Int32] = [-1, -1]
        _ = try retrying("pipe") { shim_pipe(&ends, end == .read ? 1 : 0, end == .write ? 1 : 0) }
        return end == .read
            ? PipeEnds(ours: ends[0], theirs: ends[1]) : PipeEnds(ours: ends[1], theirs: ends[0])
    }

    /// write(2), as much as goes without waiting where the descriptor does not block.
    borrowing func write(_ bytes: ArraySlice<UInt8>) throws(SystemError) -> WriteOutcome {
        let number = number
        do throws(SystemError) {
            return .sent(
                try retrying("write") {
                    bytes.withUnsafeBytes { Glibc.write(number, $0.baseAddress, $0.count) }
                })
        } catch {
            if error.wouldBlock { return .wouldBlock }
            throw error
        }
    }

    /// read(2) of a file, up to `limit` bytes. Only memory that is written to is touched: that saves a start 1 ms.
    borrowing func readStart(_ limit: Int) throws(SystemError) -> [UInt8] {
        let number = number
        return try Self.filled(limit) { memory throws(SystemError) in
            try retrying("read") { read(number, memory, limit) }
        }
    }

    /// pread(2) of a file, up to `limit` bytes; none at its end.
    borrowing func readPart(_ limit: Int, at offset: Int) throws(SystemError) -> [UInt8] {
        let number = number
        return try Self.filled(limit) { memory throws(SystemError) in
            try retrying("read") { pread(number, memory, limit, offset) }
        }
    }

    private static func filled(
        _ limit: Int, _ fill: (UnsafeMutablePointer<UInt8>?) throws(SystemError) -> Int
    ) throws(SystemError) -> [UInt8] {
        var failure: SystemError?
        let bytes = [UInt8](unsafeUninitializedCapacity: limit) { buffer, count in
            do throws(SystemError) {
                count = try fill(buffer.baseAddress)
            } catch {
                failure = error
            }
        }
        if let failure { throw failure }
        return bytes
    }

    /// Writes everything, to a file that does not block.
    borrowing func writeAll(_ bytes: ArraySlice<UInt8>) throws(SystemError) {
        var rest = bytes
        while !rest.isEmpty {
            guard case .sent(let count) = try write(rest) else { throw .last("write") }
            rest = rest.dropFirst(count)
        }
    }

    /// True for a regular file.
    borrowing func isRegularFile() throws(SystemError) -> Bool {
        var status = stat()
        _ = try retrying("fstat") { fstat(number, &status) }
        return status.st_mode & S_IFMT == S_IFREG
    }
}
