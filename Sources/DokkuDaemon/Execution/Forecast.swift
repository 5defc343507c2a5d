// What each command of a line waits for, as far as it can be told before it starts.

/// Goes through a line in the order of starting.
struct Forecast {
    private typealias Mark = (rank: Int, job: UInt64)

    /// How many may run at once.
    private let limit: Int
    private let isLocked: Bool
    /// A job of another line that runs, beside which some must not run.
    private let neighbour: UInt64?
    /// How many more could start now.
    private var free: Int
    private var count = 0
    /// The last commands so far that change something, and their ranks in the line.
    private var last: (any: UInt64?, app: Mark?, host: Mark?, everything: Mark?) = (nil, nil, nil, nil)
    private var lastOfApp: [ArraySlice<UInt8>: Mark] = [:]
    /// The jobs whose run others will share, and how many do.
    private var leads: [Question: (job: UInt64, askers: Int)] = [:]

    /// `running`: what runs in this line.
    init(
        limit: Int, running: [Audience], beside neighbour: UInt64? = nil, isLocked: Bool = false
    ) {
        self.limit = limit
        self.isLocked = isLocked
        self.neighbour = neighbour
        free = limit - running.count
        for audience in running {
            if let job = audience.jobs.first { note(audience.command.scope, job.number) }
        }
    }

    /// What the next job of the line waits for. `blocker`: a job of another line that it must not overtake.
    mutating func obstacle(of job: Job, behind blocker: UInt64? = nil) -> Obstacle? {
        let scope = job.command.scope
        if scope == .nothing, let change = job.submitter.change(before: job.number) { return .job(change) }
        if let question = job.question {
            if let lead = leads[question], lead.askers < Audience.limit {
                leads[question] = (lead.job, lead.askers + 1)
                return .run(of: lead.job)
            }
            leads[question] = (job.number, 1)
        }
        defer { note(scope, job.number) }
        if let other = blocker ?? conflict(with: scope) { return .job(other) }
        free -= 1
        return free < 0 ? .turn : isLocked ? .lock : nil
    }

    /// The last one before that a command must not run beside.
    private func conflict(with scope: Scope) -> UInt64? {
        if scope == .everything { return last.any ?? neighbour }
        // Here each command waits for the one before it.
        if limit == 1 { return last.any }
        let others =
            switch scope {
            case .nothing: [last.everything]
            case .app(let app): [last.everything, last.host, lastOfApp[app]]
            case .host, .everything: [last.everything, last.host, last.app]
            }
        return others.compactMap(\.self).max { $0.rank < $1.rank }?.job
    }

    private mutating func note(_ scope: Scope, _ job: UInt64) {
        count += 1
        last.any = job
        switch scope {
        case .nothing: break
        case .app(let app):
            last.app = (count, job)
            lastOfApp[app] = last.app
        case .host: last.host = (count, job)
        case .everything: last.everything = (count, job)
        }
    }
}
