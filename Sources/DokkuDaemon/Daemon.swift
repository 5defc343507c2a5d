// The whole daemon: its parts are made from the settings, connected, started and stopped.
import CEpollShim
import DokkuProtocol
import Glibc

final class Daemon {
    private let configuration: Configuration
    private let console: Console
    private let loop: EventLoop
    private let log: AuditLog
    private let executor: Executor
    private let archive: Archive
    private let detacher: Detacher
    private let followers = Followers()
    private let catalogue: CatalogueKeeper
    private let server: Server
    private let board = Board()
    private let context: RunContext
    private let manager: ServiceManager
    private let sockets: ListeningSockets
    private let lists: AllowFolder
    /// The answer to every request if the settings are wrong: then nothing is read, written or run.
    private let misconfigured: Refusal?
    private var signals: SignalSource?
    private var stage = Stage.serving

    private enum Stage {
        case serving
        /// It was told to read its settings again: it stops in a moment, and systemd starts it again.
        case reloading
        case stopping(toStartAnew: Bool)
    }

    private static let lastMoment = Duration.seconds(1)
    /// The time that systemd needs to see the end of ExecReload=.
    private static let reloadTime = Duration.milliseconds(300)

    init(_ configuration: Configuration, environment: [String: String]) throws(StartFailure) {
        self.configuration = configuration
        let console = Console(environment: environment)
        self.console = console
        do throws(SystemError) {
            loop = try EventLoop()
        } catch {
            throw StartFailure(description: "\(error)", exitStatus: EX_OSERR)
        }
        for warning in configuration.warnings { console.say(.warning, warning) }
        let launcher = Launcher(
            program: configuration.program, environment: environment,
            user: SystemUser(name: configuration.systemUser))
        let lists = AllowFolder(configuration.allowFolder)
        self.lists = lists
        sockets = try ListeningSockets(configuration) { rules in
            RightsCheck(keyHolderComplaint: launcher.keyHolderComplaint, lists: lists).faults(of: rules)
        }
        misconfigured = Refusal.misconfigured(sockets.faults)
        let isUsable = misconfigured == nil
        if isUsable { Self.prepareFolders(configuration, console) }
        log = AuditLog(path: isUsable ? configuration.logPath : nil) { console.say(.error, $0) }
        if isUsable, let complaint = launcher.complaint { console.say(.warning, complaint) }
        let limits = Self.limits(configuration)
        context = RunContext(
            loop: loop, launcher: launcher,
            killGrace: configuration.killGrace, drainGrace: configuration.drainGrace,
            library: configuration.library, tracing: Tracing(environment: environment),
            leftOverPipes: limits.descriptors.leftOverPipes)
        let lock = CommandLock(path: configuration.lockPath)
        let records = CommandRecords(
            log: log,
            journal: configuration.journal.isWanted(environment)
                ? SystemJournal { console.say(.warning, $0) } : nil,
            running: isUsable ? Self.takeOverRecord(configuration.stateFolder, console) : nil,
            board: board)
        let numbers = JobNumbers()
        executor = Executor(
            limits: configuration.executorLimits, lock: lock, context: context, records: records,
            numbers: numbers
        ) { console.say(.warning, $0) }
        let store = CatalogueStore(
            folder: configuration.stateFolder, pluginFolders: configuration.pluginFolders)
        catalogue = CatalogueKeeper(context: context, lock: lock, store: store, board: board) {
            console.say(.warning, $0)
        }
        let allotment = Allotment(
            spool: SpoolAccount(
                folder: configuration.stateFolder, limit: configuration.spoolLimit,
                files: limits.descriptors.spoolFiles, firstFiles: limits.descriptors.firstFiles),
            words: Budget(limit: configuration.wordLimit),
            places: Budget(limit: configuration.queueLimit),
            descriptors: Budget(limit: limits.descriptors.passed))
        let turns = Turns(timers: loop.timers)
        archive = Archive(
            folder: configuration.stateFolder, limits: configuration.archiveLimits, numbers: numbers,
            timers: loop.timers, turns: turns
        ) { console.say(.warning, $0) }
        detacher = Detacher(
            executor: executor, archive: archive, followers: followers, turns: turns, words: allotment.words)
        let attendance = Attendance(limits: limits.server)
        let judge = Judge(
            catalogue: catalogue, loop: loop, refusesAll: misconfigured, tracing: context.tracing,
            lists: lists)
        let jobs = JobAnswers(executor: executor, archive: archive, followers: followers, turns: turns)
        let builtins = Builtins(
            executor: executor, jobs: jobs, catalogue: catalogue, attendance: attendance,
            account: allotment.spool,
            judge: judge, log: log, board: board)
        server = Server(
            loop: loop, limits: limits.server,
            allotment: allotment, attendance: attendance, log: log,
            requests: Dispatcher(
                executor: executor, detacher: detacher, catalogue: catalogue, builtins: builtins,
                judge: judge, log: log,
                loop: loop, limits: limits.server))
        manager = ServiceManager(loop: loop, environment: environment)
    }

    /// Serves until a signal ends it. Returns when everything is answered.
    func run() throws(StartFailure) {
        do throws(SystemError) {
            // The parent may have set SIGCHLD to be ignored; children would then leave no status, sigaction(2).
            signal(SIGCHLD, SIG_DFL)
            signals = try SignalSource([SIGTERM, SIGINT, SIGHUP]) { [unowned self] in didReceive($0) }
        } catch {
            throw StartFailure(description: "\(error)", exitStatus: EX_OSERR)
        }
        signals?.start(in: loop)
        if sockets.areHandedOver { scheduleIdleExit(after: configuration.idleExit) }
        executor.start(owner: self)
        if misconfigured == nil {
            archive.start(owner: self)
            detacher.takeOver()
        }
        if misconfigured == nil { catalogue.start() }
        for fault in sockets.faults { console.say(.error, fault) }
        server.listen(sockets.sockets, owner: self)
        for listener in sockets.sockets { log.note("Listening on \(listener.name)...") }
        manager.ready(self)
        // A start runs much code that serving never needs, also of the dynamic linker: 2 MB that need not stay
        // mapped.
        shim_forget_code()
        // No process that the daemon ends may outlive it.
        defer { context.endings.killAll() }
        do throws(SystemError) {
            try loop.run()
        } catch {
            throw StartFailure(description: "\(error)", exitStatus: EX_OSERR)
        }
        archive.finish()
        if case .stopping(toStartAnew: true) = stage {
            throw StartFailure(
                description: "exiting, to be restarted with new settings", exitStatus: EX_CONFIG)
        }
    }

    // MARK: Start

    /// Raises the limit of open descriptors to what the process can need, and divides it. Children inherit the
    /// limit.
    private static func limits(
        _ configuration: Configuration
    ) -> (server: ServerLimits, descriptors: DescriptorBudget) {
        var server = configuration.serverLimits
        let schedule = configuration.executorLimits.schedule
        let beside = 4 * configuration.executorLimits.follow + schedule.readers + schedule.workers - 1
        let wanted = DescriptorBudget.wanted(connections: server.connections, besideQueue: beside)
        let budget = DescriptorBudget(
            limit: Int(shim_raise_descriptor_limit(Int32(clamping: wanted))), connections: server.connections,
            besideQueue: beside)
        server.connections = budget.connections
        server.descriptorEnd = budget.connectionEnd
        server.turnedAway = budget.turnedAway
        return (server, budget)
    }

    private static func prepareFolders(_ configuration: Configuration, _ console: Console) {
        let files = [configuration.lockPath, configuration.logPath].compactMap(\.self)
        for folder in files.map(parentFolder) + [configuration.stateFolder] {
            do throws(SystemError) {
                try makeFolders(folder)
            } catch {
                console.say(.warning, "cannot make the folder \(folder): \(error.reason)")
            }
        }
    }

    /// Without a record, the next start cannot tell which commands were interrupted; the daemon serves anyway.
    private static func takeOverRecord(_ folder: String, _ console: Console) -> RunningRecord? {
        let reason: String
        do throws(SystemError) {
            if let record = try RunningRecord(folder: folder) { return record }
            reason = "another daemon uses it"
        } catch {
            reason = error.reason
        }
        console.say(.warning, "cannot write the record of running commands in \(folder): \(reason)")
        return nil
    }

    // MARK: Running

    var status: String {
        if let misconfigured { return misconfigured.text }
        let waiting = executor.waitingCount
        let commands =
            catalogue.current.map { "\($0.listedNames.count) commands known" } ?? "no commands known yet"
        let running = executor.running.map { "#\($0.number) \($0.title)" }.joined(separator: ", ")
        if !running.isEmpty { return "Running \(running); \(waiting) waiting" }
        if let wait = executor.lockWait { return "Waiting for \(wait); \(waiting) waiting" }
        return "Idle, \(commands)"
    }

    private func didReceive(_ signal: Int32) {
        switch signal {
        case SIGHUP:
            guard misconfigured != nil else { return reload() }
            // The environment of a process does not change, so only a new process can have other settings. It does
            // not exit at once, because systemd takes an exit during the reload for a failed one.
            if case .serving = stage { stage = .reloading }
            _ = loop.timers.schedule(after: Self.reloadTime) { [unowned self] in stop() }
        default: if case .stopping = stage { hurry() } else { stop() }
        }
    }

    /// A wrong list stays as it was: who was allowed something keeps it, and nobody gets more.
    private func reload() {
        log.reopen()
        for fault in lists.reread() { console.say(.error, "\(fault); the list of before stays in use") }
    }

    /// A daemon that systemd started for a connection need not stay: the next connection starts it again.
    private func scheduleIdleExit(after wait: Duration?) {
        guard let wait, let limit = configuration.idleExit else { return }
        _ = loop.timers.schedule(after: wait) { [unowned self] in
            let isIdle =
                executor.isIdle && executor.waitingCount == 0 && server.isDrained && context.drain.isEmpty
            let rest = isIdle ? limit - (loop.now - server.lastActivity) : limit
            if rest <= .zero { stop() } else { scheduleIdleExit(after: rest) }
        }
    }

    // MARK: Stop

    private func stop() {
        let startsAnew: Bool
        switch stage {
        case .serving: startsAnew = false
        case .reloading: startsAnew = true
        case .stopping: return
        }
        manager.stopping()
        log.note("Stopping daemon...")
        board.post { $0.add("event", "stopping") }
        executor.stop()
        followers.stop()
        catalogue.stop()
        server.stop()
        // Not before: then the end of the first waiting command would count as the end of all.
        stage = .stopping(toStartAnew: startsAnew)
        _ = loop.timers.schedule(after: configuration.stopGrace) { [unowned self] in giveUp() }
        stopIfFinished()
    }

    /// The second signal: running commands are ended, and nobody waits for clients that do not read.
    private func hurry() {
        executor.terminateRunning()
        server.hurry()
    }

    private func stopIfFinished() {
        guard case .stopping = stage, executor.isIdle else { return }
        board.close()
        if server.isDrained {
            loop.stop()
        } else {
            server.seeOff()
        }
    }

    /// The running command has used up its time. It is told to end, has the same grace as any command, and then a
    /// last moment to be answered.
    private func giveUp() {
        guard !executor.isIdle else { return }
        executor.terminateRunning()
        _ = loop.timers.schedule(after: configuration.killGrace + Self.lastMoment) { [unowned self] in
            // A process that a killed command left behind may keep its output open. Nobody waits for that output.
            executor.terminateRunning()
            if executor.isIdle { return }
            for job in executor.running { log.note("#\(job.number) was killed") }
            loop.stop()
        }
    }
}

extension Daemon: ExecutorOwner, ArchiveOwner, ServerOwner, StatusSource {
    func archiveDidOpen() { detacher.takeOver() }

    func executorDidChange() { manager.statusDidChange() }

    func executorDidEnd(_ job: Job) {
        // dokku's commands may have changed.
        if job.isSuccess, job.command.invocation.name.hasPrefix("plugin:") { catalogue.refresh { _ in } }
        stopIfFinished()
    }

    func serverDidDrain() { stopIfFinished() }
}
