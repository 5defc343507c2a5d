// Files of redirected commands: regular ones only, and nobody waits for one.
import Glibc
import TestSupport
import Testing

@testable import DokkuDaemon
@testable import DokkuProtocol

@Suite struct RedirectionTests {
    private let folder: Folder

    init() throws { folder = try Folder() }

    private func open(_ name: String, _ direction: Redirection.Direction) throws(Refusal) -> OpenFile {
        try Redirection(direction: direction, path: Array(folder.path(name).utf8)).open()
    }

    @Test func `a file is read`() throws {
        try folder.write("text", to: "file")
        let file = try open("file", .input)
        #expect(fcntl(file.descriptor.number, F_GETFL) & O_ACCMODE == O_RDONLY)
        var byte: UInt8 = 0
        #expect(read(file.descriptor.number, &byte, 1) == 1)
    }

    /// The start may still fail: the file is emptied by the process that writes to it.
    @Test func `a file is opened as it is`() throws {
        try folder.write("what was there", to: "file")
        let file = try open("file", .output)
        #expect(try folder.read("file") == "what was there")
        try file.descriptor.writeAll(Array("new".utf8)[...])
        #expect(try folder.read("file") == "newt was there")
    }

    @Test func `a new file is for its owner alone`() throws {
        _ = try open("new", .output)
        #expect(try folder.status("new").st_mode & 0o077 == 0)
        #expect(try folder.status("new").st_size == 0)
    }

    @Test(arguments: [Redirection.Direction.input, .output])
    func `a path that is no file is refused`(direction: Redirection.Direction) throws {
        try folder.makeFolder("folder")
        try #require(mkfifo(folder.path("fifo"), 0o600) == 0)
        for name in ["folder", "fifo"] {
            let refusal = #expect(throws: Refusal.self) { _ = try open(name, direction) }
            #expect(refusal?.code == .invalidRequest)
            #expect(refusal?.text.hasPrefix(folder.path(name) + ": ") == true)
        }
    }

    @Test func `a FIFO with a reader is refused`() throws {
        try #require(mkfifo(folder.path("fifo"), 0o600) == 0)
        let reader = try Descriptor.open(folder.path("fifo"), O_RDWR)
        let refusal = #expect(throws: Refusal.self) { _ = try open("fifo", .output) }
        #expect(refusal?.text.hasSuffix("Not a regular file") == true)
        #expect(reader.number >= 0)
    }

    @Test(arguments: [Redirection.Direction.input, .output])
    func `a FIFO is not even opened`(direction: Redirection.Direction) throws {
        try #require(mkfifo(folder.path("fifo"), 0o600) == 0)
        let path = folder.path("fifo")
        let end = try Descriptor.open(path, (direction == .output ? O_RDONLY : O_RDWR) | O_NONBLOCK)
        let watch = Descriptor(owning: inotify_init1(Int32(IN_CLOEXEC) | O_NONBLOCK))
        try #require(inotify_add_watch(watch.number, path, UInt32(IN_OPEN)) >= 0)
        #expect(throws: Refusal.self) { _ = try open("fifo", direction) }
        var event: UInt8 = 0
        #expect(read(watch.number, &event, 1) == -1 && errno == EAGAIN)
        if direction == .output {
            // A reader that never had a writer waits; one whose writer has gone is at its end, poll(2).
            var query = pollfd(fd: end.number, events: Int16(POLLIN), revents: 0)
            #expect(poll(&query, 1, 0) == 0)
        }
    }

    @Test func `a link that leads nowhere yet makes the file`() throws {
        try #require(symlink(folder.path("target"), folder.path("link")) == 0)
        _ = try open("link", .output)
        #expect(folder.has("target"))
    }

    @Test func `a device is refused`() {
        let path = Array("/dev/null".utf8)
        #expect(throws: Refusal.self) { _ = try Redirection(direction: .output, path: path).open() }
    }

    @Test func `a link is followed as a shell would`() throws {
        let target = try folder.write("text", to: "target")
        try #require(symlink(target, folder.path("link")) == 0)
        _ = try open("link", .input)
    }

    @Test func `a missing file is named`() {
        let refusal = #expect(throws: Refusal.self) { _ = try open("none", .input) }
        #expect(refusal?.text == folder.path("none") + ": No such file or directory")
        #expect(throws: Refusal.self) { _ = try open("none/none", .output) }
    }

    @Test func `an error shows no secret of a path`() {
        let refusal = #expect(throws: Refusal.self) { _ = try open("none/token=SECRET", .output) }
        #expect(refusal?.text == folder.path("none/token=***: No such file or directory"))
    }

    @Test func `a name need not be UTF-8`() throws {
        let path = Array(folder.path("x").utf8) + [0xff]
        _ = try Redirection(direction: .output, path: path).open()
        _ = try Redirection(direction: .input, path: path).open()
    }
}
