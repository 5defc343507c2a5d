// The queue of commands, and its fairness. It holds at most one waiting command of each submitter. When that one
// leaves, the submitter's next one enters at the tail. So a thousand commands of one client delay another client by
// only one.
import DokkuProtocol

/// One connection's place in the queue.
final class Submitter {
    /// The budget that its commands share with others.
    fileprivate let places: Budget
    fileprivate var waiting: Job?
    fileprivate var held: [Job] = []

    init(places: Budget) { self.places = places }
}

final class CommandQueue {
    private var jobs: [Job] = []
    private var submitters: [ObjectIdentifier: Submitter] = [:]
    /// All waiting commands, in the queue and held back.
    var count: Int { submitters.count }

    var first: Job? { jobs.first }

    /// Adds a command, or throws if there are too many.
    func append(_ job: Job, from submitter: Submitter) throws(Refusal) {
        guard submitter.places.take(1) else { throw .queueFull }
        submitters[ObjectIdentifier(job)] = submitter
        if submitter.waiting == nil {
            submitter.waiting = job
            jobs.append(job)
        } else {
            submitter.held.append(job)
        }
    }

    /// Removes a waiting command, to start it or to give it up.
    func remove(_ job: Job) {
        guard let submitter = submitters.removeValue(forKey: ObjectIdentifier(job)) else { return }
        submitter.places.give(1)
        guard submitter.waiting === job else {
            submitter.held.removeAll { $0 === job }
            return
        }
        if let index = jobs.firstIndex(where: { $0 === job }) { jobs.remove(at: index) }
        submitter.waiting = submitter.held.isEmpty ? nil : submitter.held.removeFirst()
        if let next = submitter.waiting { jobs.append(next) }
    }

    /// The command's position if nobody else sends one: 1 starts next. 0 if it does not wait.
    func position(of job: Job) -> Int {
        if let index = jobs.firstIndex(where: { $0 === job }) { return index + 1 }
        guard let submitter = submitters[ObjectIdentifier(job)],
            let rank = submitter.held.firstIndex(where: { $0 === job }),
            let place = jobs.firstIndex(where: { $0 === submitter.waiting })
        else { return 0 }
        // Before it come all commands now in the queue, `rank` more of each submitter, and one more of each
        // submitter that has an earlier turn.
        return jobs.enumerated().reduce(jobs.count + 1) { sum, entry in
            let held = submitters[ObjectIdentifier(entry.element)]?.held.count ?? 0
            return sum + min(held, entry.offset < place ? rank + 1 : rank)
        }
    }

    /// All waiting commands, in the order in which they start if nobody else sends one.
    var waiting: [Job] {
        var order = jobs
        let turns = jobs.compactMap { submitters[ObjectIdentifier($0)]?.held }
        let rounds = turns.lazy.map(\.count).max() ?? 0
        for round in 0..<rounds { order += turns.compactMap { round < $0.count ? $0[round] : nil } }
        return order
    }
}
