// Kept jobs: what comes back after the end of a daemon, and what is read of it.
import DokkuProtocol
import Glibc
import TestSupport
import Testing

@testable import DokkuDaemon

@Suite struct ArchiveTests {
    private let desk: Desk

    init() throws { desk = try Desk() }

    @Test func `there is no file before the first job`() throws {
        let archive = desk.open()
        #expect(archive.lastNumber == 0 && archive.jobs.isEmpty && archive.takeWaiting().isEmpty)
        #expect(archive.job(1) == nil)
        #expect(try !archive.forget(1))
        archive.markEnded(1, .sample())
        #expect(!desk.folder.has("jobs.db"))
        try archive.insert(.sample(7), isRunning: false)
        #expect(archive.lastNumber == 7)
        let mode = { try desk.folder.status($0).st_mode & 0o777 }
        #expect(try mode("jobs.db") == 0o600 && mode("jobs.db-wal") == 0o600)
        #expect(try mode("jobs.reserve") == 0o600)
        #expect(!desk.folder.has("jobs.db-shm"))
        #expect(desk.complaints.texts == [])
    }

    @Test func `what waits comes back, in order and as it was`() throws {
        let words: ArgumentList = ["postgres:import", "", "a b", "ü"]
        try {
            let archive = desk.open()
            var command = Command.sample(words, lane: .beside)
            command.request.timeout = .seconds(7)
            command.request.output = .file(Redirection(direction: .output, path: Array("/a\u{1}b".utf8)))
            let peer = Peer(
                pid: 4_000_000, uid: .max, gid: 5, cgroup: "/system.slice/docker-1.scope", listener: "/s",
                rules: ListenerRules(.readOnly, user: "ci", list: "blog"))
            try archive.insert(.sample(3, command, peer: peer), isRunning: false)
            try archive.insert(.sample(4), isRunning: false)
            let input = try archive.beginInput()
            try archive.append([1, 2, 3][...], to: input)
            try archive.append([4][...], to: input)
            try archive.insert(.sample(6), isRunning: false, input: input)
        }()
        let archive = desk.open()
        let waiting = archive.takeWaiting()
        #expect(waiting.map(\.0.number) == [3, 4, 6])
        #expect(waiting.allSatisfy { $0.0.state == .waiting && $0.0.queuedDate > 0 })
        let (kept, stored) = try #require(waiting.first)
        #expect(kept.title.hasPrefix("postgres:import"))
        #expect(kept.peer.pid == 4_000_000 && kept.peer.uid == .max && kept.peer.gid == 5)
        #expect(kept.peer.listener == "/s")
        #expect(kept.peer.rules == ListenerRules(.readOnly, user: "ci", list: "blog"))
        #expect(kept.peer.cgroup == "/system.slice/docker-1.scope" && waiting[1].0.peer.cgroup == nil)
        let command = try #require(stored.command())
        #expect(command.invocation.arguments == words && command.lane == .beside)
        #expect(command.request.timeout == .seconds(7) && command.request.isDetached)
        guard case .file(let file) = command.request.output else { throw Overdue(what: "the file") }
        #expect(file.path == Array("/a\u{1}b".utf8) && !command.request.hasInput)
        #expect(!stored.hasInput && waiting[2].1.hasInput)
        #expect(try archive.input(of: 6, from: 0) == [1, 2, 3] && archive.input(of: 6, from: 1) == [4])
        #expect(try archive.input(of: 6, from: 2) == [] && archive.input(of: 3, from: 0) == [])
        #expect(archive.takeWaiting().isEmpty)
    }

    @Test func `what ran is interrupted, and its output is there`() throws {
        try {
            let archive = desk.open()
            try archive.insert(.sample(1), isRunning: true)
            try archive.insert(.sample(2), isRunning: false)
            try archive.markRunning(2)
            #expect(archive.job(2)?.state == .running)
            try archive.append("hello", to: 1)
        }()
        for _ in 0..<2 {
            let archive = desk.open()
            for kept in archive.jobs {
                let ending = try #require(kept.ending)
                #expect(ending.failure == .ended(.interrupted) && ending.status == nil)
                #expect(kept.startedDate > 0)
            }
            #expect(archive.jobs.map(\.outputCount) == [5, 0])
            #expect(try archive.text(of: 1) == "hello")
            #expect(archive.takeWaiting().isEmpty)
        }
    }

    private static let endings: [KeptJob.Ending] = [
        .sample(), .sample(.exited(3)), .sample(.signalled("SIGKILL")), .sample(nil, .ended(.shuttingDown)),
        .sample(.exited(0), .cut(Refusal(code: .outputTruncated, text: "cut"))),
        .sample(
            .signalled("SIGTERM"),
            .endedAndCut(
                end: Refusal(code: .timeout, text: "end"), cut: Refusal(code: .outputTruncated, text: "cut"))),
    ]

    @Test(arguments: endings.indices) func `what ended stays as it was`(number: Int) throws {
        let ending = Self.endings[number]
        var before: [String] = []
        try {
            let archive = desk.open()
            try archive.insert(.sample(1, .sample(["apps:create", "x"])), isRunning: false)
            try archive.markRunning(1)
            try archive.append("out", to: 1)
            try archive.append("err", .standardError, to: 1)
            archive.markEnded(1, ending)
            #expect(archive.job(1)?.ending == ending)
            before = try archive.contents()
        }()
        let archive = desk.open()
        #expect(archive.job(1)?.ending == ending && archive.job(1)?.outputCount == 6)
        #expect(try archive.contents() == before)
    }

    @Test func `numbers do not repeat, even if nothing is kept`() throws {
        try {
            let archive = desk.open()
            try archive.insert(.sample(40), isRunning: true)
            archive.markEnded(40, .sample())
            #expect(try archive.forget(40))
        }()
        let archive = desk.open()
        #expect(archive.jobs.isEmpty && archive.lastNumber == 40)
        #expect(throws: Refusal.self) { try archive.insert(.sample(40), isRunning: false) }
        try archive.insert(.sample(41), isRunning: false)
    }

    @Test func `output is read in pieces, in its order`() throws {
        let archive = desk.open()
        try archive.insert(.sample(1), isRunning: true)
        try archive.insert(.sample(2), isRunning: true)
        let sample = Sample.bytes(200_000)
        try archive.append(sample.span, stream: .standardOutput, to: 1)
        try archive.append("other", to: 2)
        try archive.append("e", .standardError, to: 1)
        var position = 0
        var pieces: [(OutputStream, [UInt8])] = []
        while case let next = try archive.output(of: 1, from: position, limit: 100_000), !next.isEmpty {
            #expect(next.reduce(0) { $0 + $1.1.count } <= 100_000 + 65_536)
            position += next.count
            pieces += next
        }
        #expect(pieces.flatMap(\.1) == sample + Array("e".utf8))
        #expect(pieces.last?.0 == .standardError && pieces.first?.0 == .standardOutput)
        #expect(try archive.text(of: 2) == "other" && archive.text(of: 2, from: 1) == "")
        #expect(archive.job(1)?.outputCount == 200_001)
        #expect(throws: Refusal.unknownJob) { try archive.output(of: 3, from: 0, limit: 1) }
    }

    @Test func `a refused or dropped input is not there after a start`() throws {
        try {
            let archive = desk.open()
            let input = try archive.beginInput()
            try archive.append(Array("secret-of-nobody".utf8)[...], to: input)
            let other = try archive.beginInput()
            try archive.append(Array("dropped-secret".utf8)[...], to: other)
            archive.drop(other)
            #expect(try desk.holds("secret-of-nobody") && desk.holds("dropped-secret"))
            try desk.settle(archive)
            #expect(try desk.holds("secret-of-nobody") && !desk.holds("dropped-secret"))
        }()
        let archive = desk.open()
        #expect(archive.jobs.isEmpty)
        try desk.settle(archive)
        #expect(try !desk.holds("secret-of-nobody"))
    }

    @Test(arguments: [nil, "/system.slice/docker-4f1c.scope"])
    func `who asked comes back`(cgroup: String?) throws {
        let peer = Peer(
            pid: 11, uid: 22, gid: 33, cgroup: cgroup, listener: "/s", rules: ListenerRules(user: "ci"))
        do { try desk.open().insert(.sample(3, peer: peer), isRunning: false) }
        let found = try #require(desk.open().jobs.first).peer
        #expect(found.pid == 11 && found.uid == 22 && found.gid == 33)
        #expect(found.cgroup == cgroup && found.listener == "/s" && found.rules.owner == .user("ci"))
    }
}
