// Keeps the catalogue current: it is read from `dokku help --all`, stored in the state folder, and read again when
// plugins change.
import CEpollShim
import DokkuProtocol
import Glibc

/// Owns the current catalogue, and the requests that wait for a new one.
final class CatalogueKeeper {
    /// How long a reading may take, and how long a request may wait for one.
    static let patience = Duration.seconds(60)
    private static let outputLimit = 4 * 1024 * 1024
    /// Requests for known commands look for changed plugins at most this often.
    private static let noticeInterval = Duration.seconds(1)
    /// How long a failed reading counts, if the plugins stay the same.
    private static let retryInterval = Duration.seconds(1)

    typealias Completion = (Refusal?) -> Void

    /// A catalogue belongs to the plugins that existed when its reading began: it may lack later ones.
    private struct Reading {
        let run: Run
        let plugins: [FileStamp]
        let program: [FileStamp]
        let timer: Timer
        var output: [UInt8] = []
    }

    private struct Failure {
        let refusal: Refusal
        let plugins: [FileStamp]
        let at: Instant
    }

    private let context: RunContext
    private let lock: CommandLock
    private let store: CatalogueStore
    private let board: Board
    private let complain: (String) -> Void
    private(set) var current: Catalogue?
    private(set) var readDate: time_t = 0
    /// A different number for each new catalogue.
    private(set) var revision = 0
    /// The plugins that the current catalogue belongs to.
    private var plugins: [FileStamp] = []
    private var noticedAt: Instant?
    private var reading: Reading?
    private var failure: Failure?
    private var isStopping = false
    private var waiting: [Completion] = []
    /// Requests for which the current reading may have begun too early.
    private var waitingForNext: [Completion] = []

    init(
        context: RunContext, lock: CommandLock, store: CatalogueStore, board: Board = Board(),
        complain: @escaping (String) -> Void
    ) {
        self.context = context
        self.lock = lock
        self.store = store
        self.board = board
        self.complain = complain
    }

    /// Uses the stored catalogue if no plugin has changed since, or begins to read one.
    func start() {
        let plugins = store.stamp()
        let stamp = plugins + programStamp()
        if let kept = store.load(program: context.launcher.program, stamp: stamp) {
            adopt(kept.catalogue, of: plugins, date: kept.date)
        } else {
            read(plugins)
        }
    }

    /// Reads a new catalogue, and calls `completion` when it is there or has failed.
    func refresh(_ completion: @escaping Completion) {
        if reading == nil {
            waiting.append(completion)
            read(store.stamp())
        } else {
            waitingForNext.append(completion)
        }
    }

    /// Looks for changed plugins in the background, now and then. A known command does not wait for this: dokku
    /// decides what it runs.
    func noticeChangesSoon() {
        if let noticedAt, context.loop.now - noticedAt < Self.noticeInterval { return }
        noticedAt = context.loop.now
        guard reading == nil else { return }
        let plugins = store.stamp()
        // A reading that failed for these plugins is repeated when a request needs it, not here.
        if plugins != self.plugins, plugins != failure?.plugins { read(plugins) }
    }

    /// Calls `completion` once the catalogue is as current as it can be: at once, if nothing has changed since it
    /// was read.
    func whenCurrent(_ completion: @escaping Completion) {
        let plugins = store.stamp()
        if let reading {
            if reading.plugins == plugins {
                waiting.append(completion)
            } else {
                waitingForNext.append(completion)
            }
            return
        }
        if current != nil {
            if plugins == self.plugins { return completion(nil) }
            if let failure, failure.plugins == plugins, context.loop.now - failure.at < Self.retryInterval {
                return completion(failure.refusal)
            }
        }
        waiting.append(completion)
        read(plugins)
    }

    /// Reads nothing more. Waiting and later requests are told that the daemon is stopping.
    func stop() {
        isStopping = true
        reading?.run.terminate()
        waiting += waitingForNext
        waitingForNext = []
        finish(.shuttingDown)
    }

    // MARK: Reading

    /// `dokku help --all` changes nothing. So it runs beside the queue and without its lock, and a long deploy
    /// delays no `refresh`.
    private func read(_ plugins: [FileStamp]) {
        if isStopping { return finish(.shuttingDown) }
        let program = programStamp()
        do throws(RunFailure) {
            let plan = RunPlan(
                arguments: ["help", "--all"], identity: .systemUser, separatesStreams: true)
            let run = try Run(plan, context: context, owner: self)
            let timer = context.loop.timers.schedule(after: Self.patience) { [unowned self] in
                run.terminate()
                didFail("`dokku help --all` did not end in time", plugins)
            }
            reading = Reading(run: run, plugins: plugins, program: program, timer: timer)
        } catch {
            didFail("\(context.launcher.program): \(error.reason.reason)", plugins)
        }
    }

    private func adopt(_ catalogue: Catalogue, of plugins: [FileStamp], date: time_t) {
        current = catalogue
        self.plugins = plugins
        revision += 1
        readDate = date
        failure = nil
        board.post { json in
            json.add("event", "refreshed")
            json.add("commands", catalogue.listedNames.count)
            json.add("read_at", date)
        }
        do throws(SystemError) {
            try lock.write(catalogue.lockFileText)
        } catch {
            complain("the list of commands cannot be written: \(error)")
        }
    }

    private func didFail(_ text: String, _ plugins: [FileStamp]) {
        complain("the list of commands cannot be read: \(text)")
        let refusal = Refusal(code: .spawnFailed, text: text)
        failure = Failure(refusal: refusal, plugins: plugins, at: context.loop.now)
        finish(refusal)
    }

    private func finish(_ failure: Refusal?) {
        reading?.timer.cancel()
        reading = nil
        let completions = waiting
        waiting = waitingForNext
        waitingForNext = []
        if !waiting.isEmpty { read(store.stamp()) }
        for completion in completions { completion(failure) }
    }

    /// What the stored catalogue depends on besides the plugins: the program that was asked.
    private func programStamp() -> [FileStamp] {
        guard let path = try? context.launcher.locate() else { return [] }
        return [FileStamp(path)]
    }
}

extension CatalogueKeeper: RunOwner {
    var wantsOutput: Bool { true }
    var isShared: Bool { false }

    func run(_ run: Run, didOutput bytes: Span<UInt8>, on stream: OutputStream) {
        guard run === reading?.run, stream == .standardOutput, let count = reading?.output.count,
            count < Self.outputLimit
        else { return }
        bytes.withUnsafeBufferPointer { reading?.output.append(contentsOf: $0) }
    }

    func run(_ run: Run, inputDidFail error: SystemError) {}
    func runDidExit(_ run: Run, _ status: ExitStatus) {}

    func runDidEnd(_ run: Run) {
        guard let reading, run === reading.run else { return }
        guard run.status?.isSuccess == true else {
            return didFail(
                "`dokku help --all` failed: \(run.status.map { "\($0)" } ?? "")", reading.plugins)
        }
        guard let catalogue = Catalogue(helpOutput: reading.output) else {
            return didFail("`dokku help --all` lists no command", reading.plugins)
        }
        let date = time(nil)
        adopt(catalogue, of: reading.plugins, date: date)
        store.save(
            catalogue, date: date, program: context.launcher.program,
            stamp: reading.plugins + reading.program)
        finish(nil)
    }
}
