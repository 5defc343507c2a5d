// When the list of commands is read, who waits for it, and what a reading that fails means for them.
import Foundation
import TestSupport
import Testing

@testable import DokkuDaemon
@testable import DokkuProtocol

@Suite final class CatalogueKeeperTests {
    private let folder: Folder
    private let loop: EventLoop
    private let context: RunContext
    private let store: CatalogueStore
    private let said = Said()
    private let keeper: CatalogueKeeper
    private let answers = Answers()

    private final class Said { var lines: [String] = [] }

    /// Who was told what, in the order in which they were told.
    private final class Answers {
        private(set) var names: [String] = []
        private(set) var refusals: [String: Refusal] = [:]

        func note(_ name: String) -> CatalogueKeeper.Completion {
            { [unowned self] refusal in
                names.append(name)
                refusals[name] = refusal
            }
        }
    }

    /// Scripts of the tree, by links: one that a test writes may still be open for writing in a child that another test is
    /// just starting, and then cannot be executed.
    private static let dokku = Repository.path("Tests/StandIn/listing-dokku")

    private static func link(_ script: String = dokku, in folder: Folder) {
        unlink(folder.path("dokku"))
        symlink(script, folder.path("dokku"))
    }

    init() throws {
        folder = try Folder()
        loop = try EventLoop()
        try folder.makeFolder("state")
        try folder.makeFolder("enabled")
        try folder.age("enabled")
        try folder.write("", to: "calls")
        try folder.write("apps:list\n", to: "listed")
        Self.link(in: folder)
        context = RunContext(
            loop: loop, launcher: Launcher(program: folder.path("dokku"), environment: [:]),
            killGrace: .seconds(60),
            drainGrace: .seconds(60))
        store = CatalogueStore(folder: folder.path("state"), pluginFolders: [folder.path("enabled")])
        keeper = CatalogueKeeper(
            context: context, lock: CommandLock(path: folder.path("lock")), store: store
        ) { [said] in said.lines.append($0) }
    }

    private var calls: Int {
        get throws { try folder.read("calls").split(separator: "\n").count }
    }

    private func turn(until count: Int) throws {
        try loop.turn(until: answers.names.count == count, "an answer to the \(count) who ask")
    }

    /// Has the keeper hold a catalogue of `apps:list`.
    private func begin() throws {
        keeper.start()
        keeper.whenCurrent(answers.note("first"))
        try turn(until: 1)
    }

    /// Holds readings until the result is dropped or written to.
    private func gate() throws -> Descriptor {
        mkfifo(folder.path("gate"), 0o600)
        return try Descriptor.open(folder.path("gate"), O_RDWR)
    }

    private func open(_ gate: borrowing Descriptor) throws {
        unlink(folder.path("gate"))
        try gate.writeAll([UInt8(ascii: "\n")][...])
    }

    // MARK: Reading

    @Test func `the first reading answers all who wait and is written down`() throws {
        keeper.start()
        for name in ["a", "b"] { keeper.whenCurrent(answers.note(name)) }
        #expect(keeper.current == nil && answers.names == [])
        try turn(until: 2)
        #expect(answers.names == ["a", "b"] && answers.refusals.isEmpty)
        #expect(keeper.current?.listedNames == ["apps:list"] && keeper.revision == 1)
        #expect(try folder.read("calls") == "help --all\n")
        #expect(try folder.read("lock") == "apps:list\n")
        #expect(said.lines == [])
    }

    @Test func `a kept catalogue is used without running dokku`() throws {
        try begin()
        let next = CatalogueKeeper(
            context: context, lock: CommandLock(path: folder.path("other-lock")), store: store
        ) { _ in }
        next.start()
        #expect(next.current == keeper.current && next.readDate == keeper.readDate)
        #expect(try folder.read("other-lock") == "apps:list\n")
        #expect(try calls == 1)
    }

    @Test func `another dokku in the program's place has its commands read`() throws {
        try begin()
        Self.link("/bin/echo", in: folder)
        let next = CatalogueKeeper(
            context: context, lock: CommandLock(path: folder.path("lock")), store: store
        ) { _ in }
        next.start()
        #expect(next.current == nil)
        next.whenCurrent(answers.note("next"))
        try turn(until: 2)
        #expect(answers.refusals["next"]?.text == "`dokku help --all` lists no command")
    }

    @Test func `nobody waits if nothing has changed`() throws {
        try begin()
        keeper.whenCurrent(answers.note("later"))
        #expect(answers.names == ["first", "later"])
        #expect(try calls == 1)
    }

    @Test func `a plugin that came has the list read before the answer`() throws {
        try begin()
        try folder.makeFolder("enabled/redis")
        try folder.write("redis:list\n", to: "listed")
        keeper.whenCurrent(answers.note("later"))
        #expect(answers.names == ["first"])
        try turn(until: 2)
        #expect(keeper.current?.listedNames == ["redis:list"] && keeper.revision == 2)
        #expect(try folder.read("lock") == "redis:list\n")
    }

    @Test func `a plugin that came is noticed in the background`() throws {
        try begin()
        try folder.makeFolder("enabled/redis")
        try folder.write("redis:list\n", to: "listed")
        keeper.noticeChangesSoon()
        #expect(keeper.current?.listedNames == ["apps:list"])
        try loop.turn(until: keeper.revision == 2, "the reading in the background")
        #expect(keeper.current?.listedNames == ["redis:list"])
    }

    @Test func `changes are looked for once a second at most`() throws {
        try begin()
        keeper.noticeChangesSoon()
        try folder.makeFolder("enabled/redis")
        keeper.noticeChangesSoon()
        // The next request finds no reading under way that it could wait for: it begins its own.
        #expect(context.runCount == 0)
    }

    // MARK: Readings that begin too early

    @Test func `those who ask during a reading of the same plugins share it`() throws {
        let gate = try gate()
        keeper.start()
        for name in ["a", "b", "c"] { keeper.whenCurrent(answers.note(name)) }
        try open(gate)
        try turn(until: 3)
        #expect(try calls == 1)
    }

    @Test func `a refresh during a reading gets a reading of its own`() throws {
        let gate = try gate()
        keeper.start()
        keeper.whenCurrent(answers.note("early"))
        keeper.refresh(answers.note("refresh"))
        try open(gate)
        try turn(until: 2)
        #expect(answers.names == ["early", "refresh"])
        #expect(try calls == 2)
        #expect(keeper.revision == 2)
    }

    @Test func `a plugin that comes during a reading has another one follow`() throws {
        let gate = try gate()
        keeper.start()
        keeper.whenCurrent(answers.note("early"))
        try folder.makeFolder("enabled/redis")
        keeper.whenCurrent(answers.note("late"))
        try open(gate)
        try turn(until: 1)
        #expect(answers.names == ["early"])
        try turn(until: 2)
        #expect(keeper.revision == 2)
        #expect(try calls == 2)
    }

    // MARK: Failures

    @Test func `a reading that fails is told to all who wait and complained of`() throws {
        try folder.write("", to: "broken")
        keeper.start()
        for name in ["a", "b"] { keeper.whenCurrent(answers.note(name)) }
        try turn(until: 2)
        for name in ["a", "b"] {
            #expect(answers.refusals[name]?.code == .spawnFailed)
            #expect(
                answers.refusals[name]?.text.hasPrefix("`dokku help --all` failed") == true)
        }
        #expect(keeper.current == nil && said.lines.count == 1 && !folder.has("lock"))
        #expect(store.load(program: context.launcher.program, stamp: store.stamp()) == nil)
    }

    @Test func `a listing without a command is a failure`() throws {
        try folder.write("", to: "listed")
        keeper.start()
        keeper.whenCurrent(answers.note("a"))
        try turn(until: 1)
        #expect(answers.refusals["a"]?.text == "`dokku help --all` lists no command")
    }

    @Test func `a dokku that cannot be started is a failure`() throws {
        unlink(folder.path("dokku"))
        keeper.start()
        keeper.whenCurrent(answers.note("a"))
        #expect(answers.refusals["a"]?.text.hasPrefix("\(folder.path("dokku")): ") == true)
        // Nobody need refresh anything if it comes.
        Self.link(in: folder)
        keeper.whenCurrent(answers.note("b"))
        try turn(until: 2)
        #expect(answers.refusals["b"] == nil && keeper.current != nil)
    }

    @Test func `a failure keeps the list that there is and stands for a second`() throws {
        try begin()
        try folder.makeFolder("enabled/redis")
        try folder.write("", to: "broken")
        keeper.whenCurrent(answers.note("a"))
        try turn(until: 2)
        #expect(answers.refusals["a"] != nil && keeper.current?.listedNames == ["apps:list"])
        let calls = try calls
        // At once, in the same turn of the loop: no reading.
        keeper.whenCurrent(answers.note("b"))
        #expect(answers.names.last == "b" && answers.refusals["b"] == answers.refusals["a"])
        keeper.noticeChangesSoon()
        #expect(try self.calls == calls && context.runCount == 0)
        unlink(folder.path("broken"))
        keeper.refresh(answers.note("c"))
        try turn(until: 4)
        #expect(answers.refusals["c"] == nil && keeper.revision == 2)
    }

    @Test func `a reading that takes a minute is ended`() throws {
        let gate = try gate()
        keeper.start()
        keeper.whenCurrent(answers.note("a"))
        loop.timers.fire(until: .now + .seconds(59))
        #expect(answers.names == [])
        loop.timers.fire(until: .now + .seconds(61))
        #expect(answers.refusals["a"]?.text == "`dokku help --all` did not end in time")
        // It gets TERM, and is gone.
        try loop.turn(until: context.runCount == 0, "the end of the reading")
        #expect(keeper.current == nil && said.lines.count == 1)
        try open(gate)
    }

    @Test func `a lock file that cannot be written costs no list`() throws {
        try folder.makeFolder("lock")
        try begin()
        #expect(answers.refusals.isEmpty && keeper.current != nil)
        #expect(said.lines.count == 1 && said.lines[0].hasPrefix("the list of commands cannot be written: "))
    }

    // MARK: The stop

    @Test func `a stop ends the reading and answers all who wait`() throws {
        let gate = try gate()
        keeper.start()
        keeper.whenCurrent(answers.note("a"))
        keeper.refresh(answers.note("b"))
        keeper.stop()
        #expect(answers.names == ["a", "b"])
        keeper.whenCurrent(answers.note("c"))
        for name in ["a", "b", "c"] { #expect(answers.refusals[name]?.code == .shuttingDown, "\(name)") }
        try loop.turn(until: context.runCount == 0, "the end of the reading")
        #expect(keeper.current == nil)
        #expect(try calls <= 1)
        try open(gate)
    }
}
