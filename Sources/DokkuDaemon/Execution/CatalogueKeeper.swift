// Keeps the catalogue current: read from `dokku help --all`, kept in the state folder, read again when plugins
// change.
import CEpollShim
import Glibc

/// Why there is no current catalogue, and who waits for one.
final class CatalogueKeeper {
    /// How long a reading may take, and a request may wait for one.
    static let patience = Duration.seconds(60)
    private static let outputLimit = 4 * 1024 * 1024

    typealias Completion = (Refusal?) -> Void

    private let context: RunContext
    private let lock: CommandLock
    private let store: CatalogueStore
    private let complain: (String) -> Void
    private(set) var current: Catalogue?
    private(set) var readDate: time_t = 0
    private var stamp: [FileStamp] = []
    private var stampedAt: Instant?
    /// How often commands that are known have it looked at whether plugins changed.
    private static let noticeInterval = Duration.seconds(1)
    private var reading: Run?
    private var output: [UInt8] = []
    private var timer: Timer?
    private var isStopping = false
    private var waiting: [Completion] = []
    /// Those who asked for a reading while one was under way that may have begun too early for them.
    private var waitingForNext: [Completion] = []
    /// Called with each new catalogue.
    var didRead: () -> Void = {}

    init(
        context: RunContext, lock: CommandLock, store: CatalogueStore, complain: @escaping (String) -> Void
    ) {
        self.context = context
        self.lock = lock
        self.store = store
        self.complain = complain
    }

    /// Uses the kept catalogue where no plugin has changed since, or begins to read one.
    func start() {
        stamp = store.stamp()
        if let kept = store.load(program: context.launcher.program, stamp: programStamp()) {
            adopt(kept.catalogue, date: kept.date)
        } else {
            read()
        }
    }

    /// Reads a new catalogue, and reports when it stands.
    func refresh(_ completion: @escaping Completion) {
        if reading == nil {
            waiting.append(completion)
            read()
        } else {
            waitingForNext.append(completion)
        }
    }

    /// Has changes noticed in the background, now and then: what a command that is known runs is dokku's affair.
    func noticeChangesSoon() {
        if let stampedAt, context.loop.now - stampedAt < Self.noticeInterval { return }
        noticeChanges()
    }

    /// Reads again where plugins were installed or removed meanwhile.
    private func noticeChanges() {
        stampedAt = context.loop.now
        if reading == nil, store.stamp() != stamp { read() }
    }

    /// Reports once the catalogue is as new as can be known: at once, where nothing has changed since it was read.
    func whenCurrent(_ completion: @escaping Completion) {
        noticeChanges()
        if reading == nil, current != nil { return completion(nil) }
        waiting.append(completion)
        if reading == nil { read() }
    }

    /// Reads nothing more. Who waits is told that the daemon stops, and so is who asks later.
    func stop() {
        isStopping = true
        reading?.terminate()
        waiting += waitingForNext
        waitingForNext = []
        finish(.shuttingDown)
    }

    // MARK: Reading

    /// `dokku help --all` changes nothing: it runs beside the queue and without its lock, so that a long deploy
    /// delays no `refresh`.
    private func read() {
        if isStopping { return finish(.shuttingDown) }
        output = []
        stamp = store.stamp()
        do throws(RunFailure) {
            let plan = RunPlan(
                arguments: ["help", "--all"], identity: .systemUser, separatesStreams: true)
            reading = try Run(plan, context: context, owner: self)
        } catch {
            return didFail("\(context.launcher.program): \(error.reason.reason)")
        }
        timer = context.loop.timers.schedule(after: Self.patience) { [unowned self] in
            reading?.terminate()
            didFail("`dokku help --all` did not end in time")
        }
    }

    private func adopt(_ catalogue: Catalogue, date: time_t) {
        current = catalogue
        readDate = date
        do throws(SystemError) {
            try lock.write(catalogue.lockFileText)
        } catch {
            complain("the list of commands cannot be written: \(error)")
        }
        didRead()
    }

    private func didFail(_ text: String) {
        complain("the list of commands cannot be read: \(text)")
        finish(Refusal(code: .spawnFailed, text: text))
    }

    private func finish(_ failure: Refusal?) {
        timer?.cancel()
        reading = nil
        let completions = waiting
        waiting = waitingForNext
        waitingForNext = []
        if !waiting.isEmpty { read() }
        for completion in completions { completion(failure) }
    }

    /// What the kept catalogue must agree with: the program that was asked, and the plugins there were.
    private func programStamp() -> [FileStamp] {
        guard let path = try? context.launcher.locate() else { return stamp }
        return stamp + [FileStamp(path)]
    }
}

extension CatalogueKeeper: RunOwner {
    var wantsOutput: Bool { true }

    func run(_ run: Run, didOutput bytes: Span<UInt8>, on stream: OutputStream) {
        guard run === reading, stream == .standardOutput, output.count < Self.outputLimit else { return }
        bytes.withUnsafeBufferPointer { output.append(contentsOf: $0) }
    }

    func run(_ run: Run, inputDidFail error: SystemError) {}
    func runDidExit(_ run: Run) {}

    func runDidEnd(_ run: Run) {
        guard run === reading else { return }
        guard run.status?.isSuccess == true else {
            return didFail("`dokku help --all` failed: \(run.status.map { "\($0)" } ?? "")")
        }
        do {
            let catalogue = try Catalogue(helpOutput: output)
            let date = time(nil)
            adopt(catalogue, date: date)
            store.save(catalogue, date: date, program: context.launcher.program, stamp: programStamp())
            finish(nil)
        } catch {
            didFail("`dokku help --all` lists no command")
        }
        output = []
    }
}
