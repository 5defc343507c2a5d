// How many commands may run beside the queue, and through which sockets.
import Testing

@testable import DokkuDaemon

@Suite struct ExecutorTests {
    private let folder: Folder
    private let recorded: RecordedExecutor

    init() throws {
        folder = try Folder()
        let records = CommandRecords(log: AuditLog(path: nil) { _ in }, journal: nil, running: nil)
        recorded = try RecordedExecutor(records, folder: folder, follow: 4)
    }

    /// Runs until it is ended.
    @discardableResult
    private func submit(_ lane: Lane, isRestricted: Bool = false) throws -> Job {
        try recorded.submit("sleep 1000", lane: lane, isRestricted: isRestricted)
    }

    private func isFull(_ lane: Lane, isRestricted: Bool = false) -> Bool {
        do {
            try submit(lane, isRestricted: isRestricted)
            return false
        } catch {
            return (error as? Refusal)?.code == .queueFull
        }
    }

    private func end() throws {
        let jobs = recorded.executor.running
        recorded.executor.terminateRunning()
        for job in jobs { try recorded.finish(job) }
    }

    @Test(arguments: [Lane.follow, .beside, .cancel]) func soManyRunBesideTheQueue(lane: Lane) throws {
        let first = try submit(lane)
        for _ in 1..<4 { try submit(lane) }
        #expect(isFull(lane))
        recorded.executor.interrupt(first, Refusal(code: .cancelled, text: ""))
        try recorded.finish(first)
        try submit(lane)
        try end()
    }

    @Test func whoFollowsKeepsNobodyFromCancelling() throws {
        for _ in 0..<4 { try submit(.follow) }
        for _ in 0..<4 { try submit(.beside) }
        for _ in 0..<4 { try submit(.cancel) }
        #expect(isFull(.follow) && isFull(.beside) && isFull(.cancel))
        try end()
    }

    @Test(arguments: [Lane.follow, .beside, .cancel]) func restrictedSocketsLeaveSomeToOthers(lane: Lane)
        throws
    {
        for _ in 0..<3 { try submit(lane, isRestricted: true) }
        #expect(isFull(lane, isRestricted: true))
        try submit(lane)
        #expect(isFull(lane))
        try end()
    }
}
