// The journal's end of its socket, as the tests play it.
import CEpollShim
import Foundation

@testable import DokkuDaemon

/// A datagram socket that takes entries and takes them apart.
final class JournalSocket {
    private let descriptor: Int32

    init(_ path: String) {
        unlink(path)
        descriptor = shim_unix_datagram_socket()
        precondition(shim_bind(descriptor, path) == 0)
    }

    /// Shut first: a child that another test is just starting may have it, too, for a moment.
    deinit {
        shutdown(descriptor, Int32(SHUT_RD))
        close(descriptor)
    }

    /// The entries that have come.
    func entries() -> [[String: String]] {
        var entries: [[String: String]] = []
        var buffer = [UInt8](repeating: 0, count: 65536)
        while case let count = recv(descriptor, &buffer, buffer.count, 0), count > 0 {
            entries.append(Self.fields(buffer[..<count]))
        }
        return entries
    }

    /// Strict: what does not follow the format ends the test.
    static func fields(_ datagram: ArraySlice<UInt8>) -> [String: String] {
        var fields: [String: String] = [:]
        var rest = datagram
        while !rest.isEmpty {
            let line = rest.prefix { $0 != UInt8(ascii: "\n") }
            rest = rest[line.endIndex...].dropFirst()
            let parts = line.split(
                separator: UInt8(ascii: "="), maxSplits: 1, omittingEmptySubsequences: false)
            var value = parts.count == 2 ? parts[1] : []
            if parts.count == 1 {
                let length = rest.prefix(8).reversed().reduce(0) { $0 << 8 | Int($1) }
                value = rest.dropFirst(8).prefix(length)
                precondition(value.count == length && rest.dropFirst(8 + length).first == UInt8(ascii: "\n"))
                rest = rest.dropFirst(9 + length)
            }
            let name = String(decoding: parts[0], as: UTF8.self)
            precondition(fields[name] == nil && name.wholeMatch(of: /[A-Z][A-Z0-9_]*/) != nil, "\(name)")
            fields[name] = String(decoding: value, as: UTF8.self)
        }
        return fields
    }
}
