// From a line to what becomes of it, stepped by hand, without a socket.
import DokkuProtocol
import Foundation
import TestSupport
import Testing

@testable import DokkuDaemon
@testable import DokkuProtocol

@Suite final class DispatcherTests {
    private let folder: Folder
    private let loop: EventLoop
    private let executor: Executor
    private let dispatcher: Dispatcher
    private let client: FakeRequester

    init() throws {
        folder = try Folder()
        loop = try EventLoop()
        client = FakeRequester(folder)
        let program = Repository.path("Tests/StandIn/test-dokku")
        let context = RunContext(
            loop: loop,
            launcher: Launcher(
                program: program, environment: ["PATH": "/usr/bin:/bin", "STAND_IN_STATE": folder.path]),
            killGrace: .seconds(60), drainGrace: .seconds(60))
        let lock = CommandLock(path: folder.path("lock"))
        let log = AuditLog(path: nil) { _ in }
        executor = Executor(
            limits: Executor.Limits(follow: 4, output: 1 << 20, timeout: nil), lock: lock, context: context,
            records: CommandRecords(log: log, journal: nil, running: nil))
        let catalogue = CatalogueKeeper(
            context: context, lock: lock, store: CatalogueStore(folder: folder.path, pluginFolders: [])
        ) { _ in }
        let limits = ServerLimits(line: 1000, input: 1000, buffer: 1000, connections: 1, open: 64)
        let judge = Judge(
            catalogue: catalogue, loop: loop, refusesAll: nil, tracing: Tracing(environment: [:]))
        let detached = DetachedParts(executor, folder.path, loop)
        dispatcher = Dispatcher(
            executor: executor, detacher: detached.detacher, catalogue: catalogue,
            builtins: Builtins(
                executor: executor, jobs: detached.answers, catalogue: catalogue,
                attendance: Attendance(limits: limits),
                account: client.account, judge: judge, log: log),
            judge: judge, log: log, loop: loop, limits: limits)
    }

    private func take(_ line: String) { dispatcher.take(Array(line.utf8)[...], with: .nothing, from: client) }

    /// Turns the loop until nothing is open.
    private func answers() throws -> [String] {
        try loop.turn(until: client.open.isEmpty, "the answer")
        return client.takeLines()
    }

    @Test func `a request that needs nobody else is answered on the spot`() {
        take("daemon:version")
        #expect(client.takeLines() == [#"{"ok":true,"output":"\#(version)"}"#] && client.open.isEmpty)
    }

    @Test(arguments: [
        ("test:args 'a b' c", #"{"ok":true,"output":"<a b>\n<c>"}"#),
        ("test:exit 3", #"{"ok":false,"output":""}"#),
        ("nonsense:x", #"{"ok":false,"output":"Invalid command"}"#),
        ("apps:list 'open", #"{"ok":false,"output":"Unbalanced single quote"}"#),
    ])
    func `a plain line has one answer`(line: String, answer: String) throws {
        take(line)
        #expect(try answers() == [answer])
        #expect(client.instructions == [] && executor.isIdle)
    }

    @Test func `an input follows the line and runs with it`() throws {
        take(#"{"id":1,"command":["test:stdin"],"stdin_length":3}"#)
        #expect(client.instructions == [.bytes(3)] && client.takeLines() == [])
        client.input?.receive(Array("abc".utf8)[...])
        client.input?.end(.complete)
        let answer = try #require(try answers().first)
        #expect(answer.hasPrefix(#"{"id":1,"ok":true,"exit_status":0,"output":"abc""#))
    }

    /// Its bytes are expected all the same, and thrown away.
    @Test(arguments: [
        #"{"id":1,"command":["apps:create","x"],"stdin_length":1001}"#,
        #"{"id":1,"command":["enter","x"],"stdin_length":1001}"#,
        #"{"id":1,"nonsense":true,"stdin_length":1001}"#,
    ])
    func `the input of a refused request is skipped`(line: String) {
        take(line)
        #expect(client.open.isEmpty && client.takeLines().count == 1)
        #expect(client.instructions == [.bytes(1001)])
    }

    @Test func `nothing is read behind an input of unknown length`() {
        take(#"{"id":1,"command":["apps:create","x"],"stdin_length":"3"}"#)
        #expect(client.instructions == [.nothing])
        #expect(client.takeLines().first?.contains(#""error":"invalid_request""#) == true)
    }

    @Test func `an input in chunks is asked for when the request is judged`() throws {
        take(#"{"id":1,"command":["test:stdin"],"stdin_chunks":true}"#)
        #expect(client.instructions == [.held])
        try loop.turn(until: client.instructions.count == 2, "the judgement")
        #expect(client.instructions == [.held, .chunks])
        #expect(client.takeLines() == [#"{"id":1,"event":"continue"}"#])
        client.input?.end(.early(missing: nil))
        #expect(client.open.isEmpty)
        #expect(client.takeLines().first?.contains("ended too early") == true)
    }

    @Test func `a read-only socket is judged by its rules`() throws {
        client.rules.options = .readOnly
        take("apps:create x")
        #expect(try answers() == [#"{"ok":false,"output":"Not allowed on this read-only socket"}"#])
    }

    @Test(arguments: [
        ("apps:list", #"{"ok":false,"output":"Too many connections"}"#),
        (
            #"{"id":"a","command":"apps:list","stream":true}"#,
            #"{"id":"a","event":"end","ok":false,"error":"too_many_connections","output":"Too many connections"}"#
        ),
    ])
    func `a client that is turned away is told so in the form of its line`(line: String, answer: String) {
        dispatcher.turnAway(Array(line.utf8)[...], .tooManyConnections, from: client)
        #expect(client.takeLines() == [answer] && executor.isIdle)
    }
}
