// Descriptors have one owner, and what reads and writes find is told apart from errors.
import CEpollShim
import Glibc
import TestSupport
import Testing

@testable import DokkuDaemon

@Suite struct DescriptorTests {
    private func isOpen(_ number: Int32, at path: String) -> Bool {
        var opened = stat()
        var named = stat()
        guard fstat(number, &opened) == 0, stat(path, &named) == 0 else { return false }
        return opened.st_dev == named.st_dev && opened.st_ino == named.st_ino
    }

    @Test func `the owner's end is the descriptor's end`() throws {
        let folder = try Folder()
        let path = try folder.write("", to: "file")
        let number: Int32
        do {
            let file = try Descriptor.open(path, O_RDONLY)
            number = file.number
            #expect(isOpen(number, at: path))
        }
        #expect(!isOpen(number, at: path))
    }

    @Test func `whoever takes the number takes the duty`() throws {
        let folder = try Folder()
        let path = try folder.write("", to: "file")
        let number = try Descriptor.open(path, O_RDONLY).relinquish()
        #expect(isOpen(number, at: path))
        close(number)
    }

    @Test func `a new descriptor reaches no child`() throws {
        let folder = try Folder()
        let file = try Descriptor.open(folder.path("file"), O_RDWR | O_CREAT, mode: 0o640)
        let pipe = try Descriptor.pipe(ours: .write)
        let ours = pipe.takeOurs()?.relinquish() ?? -1
        defer { close(ours) }
        for number in [file.number, ours, pipe.theirs] {
            #expect(fcntl(number, F_GETFD) == FD_CLOEXEC)
        }
    }

    @Test func `a file that is not there has a reason`() throws {
        let folder = try Folder()
        let error = try #require(throws: SystemError.self) {
            _ = try Descriptor.open(folder.path("none"), O_RDONLY)
        }
        #expect(error.number == ENOENT)
        #expect(error.description == "open: No such file or directory")
    }

    @Test func `a path need not be UTF-8`() throws {
        let folder = try Folder()
        let path = Array(folder.path.utf8) + [UInt8(ascii: "/"), 0xff, 0xfe]
        do { _ = try Descriptor.open(path, O_RDWR | O_CREAT, mode: 0o600) }
        #expect(try Descriptor.open(path, O_RDONLY).isRegularFile())
    }

    // MARK: Pipes

    @Test(arguments: [PipeEnds.Ours.read, .write])
    func `only our end of a pipe does not block`(end: PipeEnds.Ours) throws {
        let pipe = try Descriptor.pipe(ours: end)
        let ours = pipe.takeOurs()?.relinquish() ?? -1
        defer { close(ours) }
        #expect(fcntl(ours, F_GETFL) & O_NONBLOCK != 0)
        #expect(fcntl(pipe.theirs, F_GETFL) & O_NONBLOCK == 0)
        #expect(fcntl(ours, F_GETFL) & O_ACCMODE == (end == .read ? O_RDONLY : O_WRONLY))
        let isTaken = pipe.takeOurs() == nil
        #expect(isTaken)
    }

    // MARK: Writing

    @Test func `a full pipe is no error`() throws {
        let ends = try ConnectedPair.pipe()
        let pipe = try ends.takeOurs()
        var sent = 0
        while case .sent(let count) = try pipe.write(Sample.bytes(4096)[...]) { sent += count }
        #expect(sent > 0)
        #expect(try pipe.write([1, 2, 3]) == .wouldBlock)
        #expect(try ends.receive().count == sent)
        #expect(try pipe.write([1, 2, 3]) == .sent(3))
    }

    @Test func `a reader that is gone is an error`() throws {
        let ends = try ConnectedPair.pipe()
        let pipe = try ends.takeOurs()
        ends.closeTheirs()
        let error = try withoutBrokenPipeSignal {
            #expect(throws: SystemError.self) { _ = try pipe.write([1]) }
        }
        #expect(error?.number == EPIPE)
    }

    @Test func `everything goes into a file`() throws {
        let folder = try Folder()
        let sample = Sample.bytes(300_000)
        do {
            let file = try Descriptor.open(folder.path("file"), O_WRONLY | O_CREAT, mode: 0o600)
            try file.writeAll(sample[...])
            try file.writeAll([])
        }
        #expect(try folder.bytes("file") == sample)
    }

    @Test func `a folder or a device is no regular file`() throws {
        let folder = try Folder()
        #expect(try !Descriptor.open(folder.path, O_RDONLY).isRegularFile())
        #expect(try !Descriptor.open("/dev/null", O_RDONLY).isRegularFile())
        #expect(try Descriptor.open(folder.write("", to: "file"), O_RDONLY).isRegularFile())
    }

    // MARK: The read buffer

    @Test func `a read shows what came`() throws {
        let buffer = ReadBuffer()
        let ends = try ConnectedPair.sockets()
        let socket = try ends.takeOurs()
        #expect(try buffer.read(socket) { _ in Issue.record("nothing came") } == .wouldBlock)
        try ends.send("abcdef")
        var seen: [UInt8] = []
        let outcome = try buffer.read(socket, limit: 4) { bytes in
            bytes.withUnsafeBufferPointer { seen = Array($0) }
        }
        #expect(outcome == .received(4))
        #expect(seen == Array("abcd".utf8))
        #expect(try buffer.read(socket) { _ in } == .received(2))
        ends.closeTheirs()
        #expect(try buffer.read(socket) { _ in Issue.record("nothing came") } == .end)
    }

    @Test func `a read never asks for more than the buffer holds`() throws {
        let folder = try Folder()
        let file = try Descriptor.open(folder.path("file"), O_RDWR | O_CREAT, mode: 0o600)
        try file.writeAll(Sample.bytes(ReadBuffer.size + 1)[...])
        lseek(file.number, 0, SEEK_SET)
        let buffer = ReadBuffer()
        #expect(try buffer.read(file, limit: .max) { _ in } == .received(ReadBuffer.size))
        #expect(try buffer.read(file, limit: .max) { _ in } == .received(1))
    }

    @Test func `a read that fails is an error`() throws {
        let folder = try Folder()
        let file = try Descriptor.open(folder.path, O_RDONLY)
        let buffer = ReadBuffer()
        let error = #expect(throws: SystemError.self) { _ = try buffer.read(file) { _ in } }
        #expect(error?.number == EISDIR)
    }
}
