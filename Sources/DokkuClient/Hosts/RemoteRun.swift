// One of several machines on which a command runs: its ssh, and the lines that come from there.
import CClientShim
import Glibc

final class RemoteRun {
    /// A line that is longer comes in parts, because it has to be held until its end.
    private static let longestLine = 1 << 20

    let host: Host
    private let words: [[UInt8]]
    private let prefix: [UInt8]
    private var child: Child?
    /// What it writes to its standard output and standard error.
    private var pipes: [Pipe] = []

    init(_ host: Host, _ words: [[UInt8]], prefix: String) {
        self.host = host
        self.words = words
        self.prefix = Array(prefix.utf8)
    }

    func start() throws(SystemFailure) {
        let input = try retrying { client_empty_file() }
        defer { close(input) }
        let output = try Pipe(to: Standard.output)
        let error = try Pipe(to: Standard.error)
        pipes = [output, error]
        child = try Child(words, [input, output.end, error.end])
        output.closeEnd()
        error.closeEnd()
    }

    func send(_ signal: Int32) { child?.send(signal) }

    func addInterest(to poll: inout Poll) {
        for pipe in pipes where !pipe.hasEnded { poll.wantsRead(pipe.descriptor) }
    }

    func read(after poll: Poll, to output: inout LineOutput) {
        for pipe in pipes where !pipe.hasEnded && poll.canRead(pipe.descriptor) {
            _ = pipe.read()
            pass(pipe, to: &output)
        }
    }

    /// How it has ended; nil while it has not. What it wrote last is taken first. The end of the pipes may never come:
    /// an ssh that stays for later connections (ControlPersist) keeps them.
    func end(to output: inout LineOutput) -> Child.End? {
        guard let end = child?.end else { return nil }
        for pipe in pipes {
            for _ in 0..<64 where !pipe.hasEnded { if !pipe.read() { break } }
            pass(pipe, to: &output)
            if !pipe.line.isEmpty { append(pipe.line + [UInt8(ascii: "\n")], of: pipe, to: &output) }
        }
        pipes = []
        return end
    }

    /// A line of the client's own about this host.
    func tell(_ text: String, to output: inout LineOutput) {
        output.append(prefix + Array("dokku-client: \(text)\n".utf8), to: Standard.error)
    }

    private func pass(_ pipe: Pipe, to output: inout LineOutput) {
        while let newline = pipe.line.firstIndex(of: UInt8(ascii: "\n")) {
            append(Array(pipe.line[...newline]), of: pipe, to: &output)
            pipe.line.removeSubrange(...newline)
        }
        while pipe.line.count >= Self.longestLine {
            append(pipe.line.prefix(Self.longestLine) + [UInt8(ascii: "\n")], of: pipe, to: &output)
            pipe.line.removeFirst(Self.longestLine)
        }
    }

    private func append(_ line: [UInt8], of pipe: Pipe, to output: inout LineOutput) {
        output.append(prefix + line, to: pipe.target)
    }
}

private final class Pipe {
    let descriptor: Int32
    private(set) var end: Int32
    /// Which of the client's own its lines go to.
    let target: Int32
    /// The last line, which has no newline yet.
    var line: [UInt8] = []
    private(set) var hasEnded = false

    init(to target: Int32) throws(SystemFailure) {
        self.target = target
        var ends: [Int32] = [-1, -1]
        _ = try retrying { client_pipe(&ends) }
        (descriptor, end) = (ends[0], ends[1])
    }

    deinit {
        close(descriptor)
        closeEnd()
    }

    func closeEnd() {
        if end >= 0 { close(end) }
        end = -1
    }

    /// False if nothing more has come by now.
    func read() -> Bool {
        do throws(SystemFailure) {
            let bytes = try Transfer.read(descriptor, 1 << 16)
            line += bytes
            hasEnded = bytes.isEmpty
            return !bytes.isEmpty
        } catch {
            hasEnded = !error.wouldBlock
            return false
        }
    }
}
