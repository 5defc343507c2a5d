// The first-in-first-out of commands, and what makes it fair: it holds at most one waiting command of each
// submitter. The next one enters at the tail when that one leaves, so that a thousand commands of one client
// delay another client by one.
import DokkuProtocol

/// One connection's place in the queue.
final class Submitter {
    /// Whose commands count together.
    fileprivate let places: Budget
    fileprivate var waiting: Job?
    fileprivate var held: [Job] = []

    init(places: Budget) { self.places = places }
}

final class CommandQueue {
    private var jobs: [Job] = []
    private var submitters: [ObjectIdentifier: Submitter] = [:]
    /// Waiting commands, in the queue and held back.
    var count: Int { submitters.count }

    var first: Job? { jobs.first }

    /// Takes a command in, or says that there are too many.
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

    /// Takes a waiting command out, to start it or to give it up.
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

    /// The place of a command if nobody else came: 1 is the next to start. 0 where it does not wait.
    func position(of job: Job) -> Int {
        if let index = jobs.firstIndex(where: { $0 === job }) { return index + 1 }
        guard let submitter = submitters[ObjectIdentifier(job)],
            let rank = submitter.held.firstIndex(where: { $0 === job }),
            let place = jobs.firstIndex(where: { $0 === submitter.waiting })
        else { return 0 }
        // Before it go all that are in the queue now, `rank` more of each submitter, and one more of each whose turn
        // comes before this one's.
        return jobs.enumerated().reduce(jobs.count + 1) { sum, entry in
            let held = submitters[ObjectIdentifier(entry.element)]?.held.count ?? 0
            return sum + min(held, entry.offset < place ? rank + 1 : rank)
        }
    }

    /// All that wait, in the order in which they start if nobody else comes.
    var waiting: [Job] {
        var order = jobs
        let turns = jobs.compactMap { submitters[ObjectIdentifier($0)]?.held }
        let rounds = turns.lazy.map(\.count).max() ?? 0
        for round in 0..<rounds { order += turns.compactMap { round < $0.count ? $0[round] : nil } }
        return order
    }
}
