// A client of the daemon that sees every byte, and its replies.
import CEpollShim
import Foundation
import Glibc
import TestSupport

/// The two keys of a plain reply.
struct Reply: Decodable, Equatable {
    var ok: Bool
    var output: String

    static func good(_ output: String) -> Reply { Reply(ok: true, output: output) }
    static func bad(_ output: String) -> Reply { Reply(ok: false, output: output) }

    init(ok: Bool, output: String) {
        self.ok = ok
        self.output = output
    }

    /// Reads a line, which must be written exactly as a plain reply is: both keys in order, without spaces.
    init(line: [UInt8]) throws {
        self = try JSONDecoder().decode(Reply.self, from: Data(line))
        let start = Array("{\"ok\":\(ok),\"output\":\"".utf8)
        guard line.starts(with: start), line.suffix(2).elementsEqual("\"}".utf8) else {
            throw Overdue(what: "a plain reply instead of \(line.text)")
        }
    }
}

final class TestClient {
    private(set) var stream: Stream
    /// What must live as long as the connection: the daemon.
    private let owner: AnyObject?

    init(to path: String, owner: AnyObject? = nil) throws {
        let descriptor = try checked("socket", shim_unix_socket())
        stream = Stream(owning: descriptor)
        self.owner = owner
        try checked("connect to \(path)", shim_connect(descriptor, path))
    }

    func send(_ text: String) throws { try send(Array(text.utf8)) }

    func send(_ bytes: [UInt8]) throws { try writeAll(bytes, to: stream.descriptor) }

    /// Sends as much as goes without waiting for the daemon to read; false where that was not all.
    func sendSome(_ bytes: [UInt8]) -> Bool {
        var sent = 0
        while sent < bytes.count {
            let count = bytes[sent...].withUnsafeBytes {
                Glibc.send(stream.descriptor, $0.baseAddress, $0.count, Int32(MSG_DONTWAIT))
            }
            if count < 0 { return false }
            sent += count
        }
        return true
    }

    func halfClose() { shutdown(stream.descriptor, Int32(SHUT_WR)) }

    /// The next line; an end before it is an error.
    func line(patience: Duration = .patience) throws -> String {
        guard let line = try stream.line(patience: patience) else { throw Overdue(what: "a line; it ended") }
        return line.text
    }

    func reply(patience: Duration = .patience) throws -> Reply {
        guard let line = try stream.line(patience: patience) else { throw Overdue(what: "a reply; it ended") }
        return try Reply(line: line)
    }

    /// Sends a line and reads one reply.
    func ask(_ line: String) throws -> Reply {
        try send(line + "\n")
        return try reply()
    }

    /// True where the daemon ends the connection without a further byte.
    func ends() throws -> Bool { try stream.line() == nil }
}
