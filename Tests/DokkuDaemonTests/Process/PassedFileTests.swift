// Files of others: what they are, and who closes them.
import CEpollShim
import Glibc
import TestSupport
import Testing

@testable import DokkuDaemon

@Suite struct PassedFileTests {
    private let folder: Folder
    private let loop: EventLoop
    private let closer: FileCloser

    init() throws {
        folder = try Folder()
        loop = try EventLoop()
        closer = FileCloser(timers: loop.timers)
    }

    private func passed(_ number: Int32) -> PassedFile {
        PassedFile(Descriptor(owning: number), closer: closer)
    }

    private func open(_ path: String) throws -> PassedFile {
        passed(try Descriptor.open(path, O_RDWR).relinquish())
    }

    @Test func `a file is told from what somebody is at the other end of`() throws {
        #expect(try open(folder.write("x", to: "file")).kind == .regular)
        #expect(try open("/dev/null").kind == .null)
        let empty = try checked("memfd_create", shim_sealed_empty_file())
        #expect(passed(empty).kind == .null)
        #expect(try open(folder.write("", to: "empty")).kind == .regular)
        #expect(try open("/dev/zero").kind == .stream)
        #expect(try open("/dev/zero").isDevice)
        let sockets = try ConnectedPair.sockets()
        #expect(try passed(sockets.takeOurs().relinquish()).kind == .stream)
        let pipe = try ConnectedPair.pipe()
        #expect(try passed(pipe.takeOurs().relinquish()).kind == .stream)
    }

    @Test func `only a terminal is one`() throws {
        var ends: (emulator: Int32, program: Int32) = (-1, -1)
        try checked("openpty", openpty(&ends.emulator, &ends.program, nil, nil, nil))
        let emulator = Descriptor(owning: ends.emulator)
        let file = passed(ends.program)
        let terminal = try #require(Terminal(file, name: "xterm"))
        #expect(terminal.name == "xterm")
        var settings = termios()
        try checked("tcgetattr", tcgetattr(file.number, &settings))
        let before = settings.c_lflag
        settings.c_lflag &= ~tcflag_t(ECHO | ICANON)
        try checked("tcsetattr", tcsetattr(file.number, TCSANOW, &settings))
        terminal.restore()
        try checked("tcgetattr", tcgetattr(file.number, &settings))
        #expect(settings.c_lflag == before)
        for path in ["/dev/null", "/dev/zero", try folder.write("", to: "file")] {
            #expect(try Terminal(open(path), name: nil) == nil)
        }
        let number = emulator.number
        #expect(number >= 0)
    }

    @Test func `a pipe is closed at once, and other files by somebody else`() throws {
        let budget = Budget(limit: 10)
        let pipe = try ConnectedPair.pipe()
        let file = try passed(pipe.takeOurs().relinquish())
        file.close()
        #expect(pipe.hasPipeEnded() && file.number == -1)
        let sockets = try ConnectedPair.sockets()
        let other = try open(folder.write("x", to: "file"))
        let socket = try passed(sockets.takeOurs().relinquish())
        let streams = try #require(PassedStreams([other, socket, try open("/dev/null")]))
        streams.hold(try #require(Reservation(3, of: budget)))
        for file in [other, socket, streams.errors] { file.close() }
        #expect(budget.used == 3 && other.number == -1)
        try loop.turn(until: sockets.hasEnded() && budget.used == 0, "the end of the socket")
    }

    @Test func `another number than three is no set of streams`() throws {
        let file = try open("/dev/null")
        for count in [0, 1, 2, 4] {
            #expect(PassedStreams([PassedFile](repeating: file, count: count)) == nil)
        }
    }
}

extension ConnectedPair {
    /// True if nobody writes to the pipe any more.
    fileprivate func hasPipeEnded() -> Bool {
        var byte: UInt8 = 0
        return read(theirNumber, &byte, 1) == 0
    }
}
