// What a test's client hands over with a request: files, pipes and terminals.
import CEpollShim
import Foundation
import TestSupport

extension TestClient {
    /// Sends bytes in one message, with descriptors.
    func send(_ text: String, with files: [Int32]) throws {
        guard try passFiles(files, with: Array(text.utf8), through: stream.descriptor) else {
            throw SystemFailure(call: "sendmsg")
        }
    }

    /// Sends a request that the schema allows, and hands over descriptors with it.
    func order(_ request: JSON, with files: [Int32]) throws {
        guard Schema.ofProtocol.accepts(request, as: "request") else {
            throw Overdue(what: "a request the schema allows, not \(request)")
        }
        try send(request.line + "\n", with: files)
    }

    func ask(_ request: JSON, with files: [Int32]) throws -> JSON {
        try order(request, with: files)
        return try answer()
    }
}

/// An open file of a box, by its descriptor.
final class HandedFile {
    let descriptor: Int32
    let path: String

    /// A file that has `text`, and is at its beginning.
    init(_ text: String = "", in box: Box, flags: Int32 = 0) throws {
        path = try box.write(text, to: "file-\(UUID().uuidString)")
        descriptor = try checked("open", open(path, O_RDWR | O_CLOEXEC | flags))
    }

    deinit { close(descriptor) }

    var text: String { contents(path).text }
    /// Where the next read or write happens, for all who share it.
    var offset: Int { lseek(descriptor, 0, SEEK_CUR) }
}

/// Both ends of a pipe, or of a pair of sockets.
final class HandedPipe {
    let reading: Stream
    private(set) var writing: Int32

    init() throws {
        var ends: [Int32] = [-1, -1]
        try checked("pipe", shim_pipe(&ends, 0, 0))
        reading = Stream(owning: ends[0])
        writing = ends[1]
    }

    deinit { endWriting() }

    func endWriting() {
        if writing >= 0 { close(writing) }
        writing = -1
    }
}

extension PseudoTerminal {
    /// The next line on the screen.
    func nextLine() throws -> String {
        guard let bytes = try screen.line() else { throw Overdue(what: "a line on the terminal") }
        return bytes.text.replacingOccurrences(of: "\r", with: "")
    }
}

extension DaemonProcess {
    /// A daemon whose first socket takes descriptors, and may have more rules.
    static func takingDescriptors(
        _ settings: [String: String] = [:], more rules: String = "", shell: String = "", box: Box? = nil
    ) throws -> DaemonProcess {
        let box = try box ?? Box()
        return try DaemonProcess(
            box, sockets: [BoundSocket(box.path("socket"), name: "descriptors" + rules)], settings: settings,
            shell: shell)
    }

    /// How many descriptors the daemon has open.
    func openDescriptors() throws -> Int {
        try FileManager.default.contentsOfDirectory(atPath: "/proc/\(process.pid)/fd").count
    }
}
