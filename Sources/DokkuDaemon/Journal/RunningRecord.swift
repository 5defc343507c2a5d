// The commands that run, in a file of the state folder. What is still there at the next start was interrupted by
// the end of the daemon.
//
// The file consists of slots of one size. A slot holds a line, or it is free and begins with a line feed. A command
// costs two small writes in place. They survive the process; a power cut may undo the last seconds of them, as of
// the log.
import CEpollShim
import Glibc

/// A command that ran when a daemon ended.
struct InterruptedCommand: Equatable {
    var number: UInt64
    /// Without secrets, as in the log.
    var title: String
}

final class RunningRecord {
    /// Bytes; a longer line is cut.
    private static let slotSize = 2048
    /// More slots than can ever be in use.
    private static let slotLimit = 1024
    private static let free = [UInt8(ascii: "\n")]

    private let file: Descriptor
    /// The job in each slot; 0 if the slot is free.
    private var slots: [UInt64] = []
    private var line: [UInt8] = []
    /// The commands that the previous daemon left.
    let interrupted: [InterruptedCommand]

    /// Takes over the record. Nil if another living daemon holds it.
    init?(folder: String) throws(SystemError) {
        let flags = O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY
        let file = try Descriptor.open("\(folder)/running", flags, mode: 0o640)
        if try file.attempt("flock", { shim_lock($0) }) == nil { return nil }
        interrupted = try Self.read(file)
        try file.call("ftruncate") { ftruncate($0, 0) }
        self.file = file
        line.reserveCapacity(Self.slotSize)
    }

    /// Unlocked explicitly, like the command lock: a process that was just forked has a copy, which would keep the
    /// lock.
    deinit { _ = shim_unlock(file.number) }

    /// Call it before the command starts: a wrong record is better than a command that nobody knows of.
    func willStart(_ job: Job) {
        line.removeAll(keepingCapacity: true)
        line.append(contentsOf: "\(job.number) ".utf8)
        line.append(contentsOf: job.title.utf8.prefix(Self.slotSize - 32))
        line.append(UInt8(ascii: "\n"))
        let slot = slots.firstIndex(of: 0) ?? slots.count
        if slot == slots.count { slots.append(0) }
        slots[slot] = job.number
        write(line, to: slot)
    }

    func ended(_ job: Job) {
        guard let slot = slots.firstIndex(of: job.number) else { return }
        slots[slot] = 0
        write(Self.free, to: slot)
    }

    /// If a write fails because the disk is full, this command has no record.
    private func write(_ bytes: [UInt8], to slot: Int) {
        let offset = off_t(slot * Self.slotSize)
        _ = bytes.withUnsafeBytes { pwrite(file.number, $0.baseAddress, $0.count, offset) }
    }

    private static func read(_ file: borrowing Descriptor) throws(SystemError) -> [InterruptedCommand] {
        let bytes = try file.readStart(slotSize * slotLimit)
        return stride(from: 0, to: bytes.count, by: slotSize).compactMap { start in
            parse(bytes[start..<min(start + slotSize, bytes.count)].prefix { $0 != UInt8(ascii: "\n") })
        }
    }

    private static func parse(_ line: ArraySlice<UInt8>) -> InterruptedCommand? {
        let parts = String(decoding: line, as: UTF8.self).split(separator: " ", maxSplits: 1)
        guard parts.count == 2, let number = UInt64(parts[0]) else { return nil }
        return InterruptedCommand(
            number: number, title: Redaction.sanitize(String(parts[1]), limit: slotSize))
    }
}
