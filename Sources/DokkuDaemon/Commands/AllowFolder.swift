// The lists of allowed commands, read from the files of one folder. Whoever can write there decides what the sockets
// may do, so nobody but root, or the daemon's own user, may.
import DokkuProtocol
import Glibc

final class AllowFolder {
    private static let sizeLimit = 1 << 20

    let path: String
    private var lists: [String: AllowList] = [:]
    /// Grows whenever a list is read.
    private(set) var revision = 0

    init(_ path: String) { self.path = path }

    /// Nil if it was not read.
    subscript(name: String) -> AllowList? { lists[name] }

    func path(of name: String) -> String { "\(path)/\(name)" }

    /// Reads a list that is used from now on. Returns what is wrong with it, a line for each fault.
    func use(_ name: String) -> [String] {
        do throws(AllowList.Fault) {
            lists[name] = try read(name)
            revision += 1
            return []
        } catch {
            return error.lines.map { "\(path(of: name)): \($0)" }
        }
    }

    /// Reads all used lists again. A wrong one stays as it was.
    func reread() -> [String] { lists.keys.sorted().flatMap(use) }

    private enum Contents {
        case bytes([UInt8])
        /// Why they are not to be used.
        case unusable(String)
    }

    private func read(_ name: String) throws(AllowList.Fault) -> AllowList {
        let contents: Contents
        do throws(SystemError) {
            contents = try self.contents(of: name)
        } catch {
            contents = .unusable(error.number == ELOOP ? "it is a symbolic link" : error.reason)
        }
        switch contents {
        case .bytes(let bytes): return try AllowList(parsing: bytes)
        case .unusable(let reason): throw AllowList.Fault(lines: [reason])
        }
    }

    private func contents(of name: String) throws(SystemError) -> Contents {
        let folder = try Descriptor.open(path, O_RDONLY | O_DIRECTORY)
        if let fault = try Self.fault(of: folder, kind: S_IFDIR) { return .unusable("its folder \(fault)") }
        // A FIFO must not hold the daemon.
        let file = try Descriptor.open(path(of: name), O_RDONLY | O_NOFOLLOW | O_NONBLOCK)
        if let fault = try Self.fault(of: file, kind: S_IFREG) { return .unusable("it \(fault)") }
        var bytes: [UInt8] = []
        while case let part = try file.readStart(1 << 16), !part.isEmpty {
            bytes += part
            if bytes.count > Self.sizeLimit { return .unusable("it is longer than 1 MiB") }
        }
        return .bytes(bytes)
    }

    /// Why an open file cannot be trusted, stat(2); nil if it can.
    private static func fault(of file: borrowing Descriptor, kind: mode_t) throws(SystemError) -> String? {
        var status = stat()
        _ = try file.call("fstat") { fstat($0, &status) }
        if status.st_mode & S_IFMT != kind { return "is not a regular file" }
        if status.st_uid != 0, status.st_uid != geteuid() {
            return "belongs to user \(status.st_uid), not to root"
        }
        return status.st_mode & (S_IWGRP | S_IWOTH) == 0 ? nil : "can be written by others than its owner"
    }
}
