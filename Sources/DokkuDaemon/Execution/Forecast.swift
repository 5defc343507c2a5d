// What each command of a line waits for, as far as it can be told before it starts.

/// Goes through a line in the order of starting.
struct Forecast {
    /// How many may run at once.
    private let limit: Int
    private let isLocked: Bool
    /// How many more could start now.
    private var free: Int
    private var count = 0
    /// The last commands so far that change something, and their ranks in the line.
    private var last: (any: UInt64?, host: (rank: Int, job: UInt64)?) = (nil, nil)
    private var lastOfApp: [[UInt8]: (rank: Int, job: UInt64)] = [:]
    /// The jobs whose run others will share.
    private var leads: [Question: UInt64] = [:]

    /// `running`: what runs in this line.
    init(limit: Int, running: [Audience], isLocked: Bool = false) {
        self.limit = limit
        self.isLocked = isLocked
        free = limit - running.count
        for audience in running {
            if let job = audience.jobs.first { note(audience.command.scope, job.number) }
        }
    }

    /// What the next job of the line waits for.
    mutating func obstacle(of job: Job) -> Obstacle? {
        let scope = job.command.scope
        if scope == .nothing, let change = job.submitter.change(before: job.number) { return .job(change) }
        if let question = job.question {
            if let lead = leads[question] { return .run(of: lead) }
            leads[question] = job.number
        }
        defer { note(scope, job.number) }
        if let other = conflict(with: scope) { return .job(other) }
        free -= 1
        return free < 0 ? .turn : isLocked ? .lock : nil
    }

    /// The last one before that a command must not run beside.
    private func conflict(with scope: Scope) -> UInt64? {
        // Here each command waits for the one before it.
        if limit == 1 { return last.any }
        switch scope {
        case .nothing: return nil
        case .host:
            return [last.host, lastOfApp.values.max { $0.rank < $1.rank }].compactMap(\.self)
                .max { $0.rank < $1.rank }?.job
        case .app(let app):
            return [last.host, lastOfApp[app]].compactMap(\.self).max { $0.rank < $1.rank }?.job
        }
    }

    private mutating func note(_ scope: Scope, _ job: UInt64) {
        count += 1
        last.any = job
        switch scope {
        case .nothing: break
        case .host:
            last.host = (count, job)
            lastOfApp = [:]
        case .app(let app): lastOfApp[app] = (count, job)
        }
    }
}
