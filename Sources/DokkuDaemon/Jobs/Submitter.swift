// One connection, as the executor knows it.

final class Submitter {
    /// The budget of waiting commands, which it shares with others.
    let places: Budget
    /// The jobs that change something, from when they are accepted until their process has exited.
    private var changes: [UInt64] = []

    init(places: Budget) { self.places = places }

    /// A job that changes something was accepted.
    func didBegin(change job: UInt64) { changes.append(job) }

    /// A job's process has exited, or will never start.
    func didFinish(_ job: UInt64) { changes.removeAll { $0 == job } }

    /// The last change before a job that is not finished.
    func change(before job: UInt64) -> UInt64? { changes.last { $0 < job } }
}
