// Detached jobs of a test's daemon.
import TestSupport
import Testing

extension DaemonProcess {
    /// Submits a detached request, and returns the job's number.
    func submit(_ words: String...) throws -> Int {
        let answer = try ask(["command": .list(words.map(JSON.text)), "detach": true])
        guard let job = answer["job"]?.number else { throw Overdue(what: "a number, not \(answer)") }
        return Int(job)
    }

    /// A daemon whose first job, a detached one, runs until it is released.
    static func withDetachedJob(
        _ settings: [String: String] = [:]
    ) throws -> (daemon: DaemonProcess, fifo: Fifo) {
        let daemon = try DaemonProcess(settings)
        let fifo = try daemon.box.fifo()
        #expect(try daemon.submit("test:block", fifo.path) == 1)
        try daemon.box.journal.line(with: "held ")
        return (daemon, fifo)
    }
}
