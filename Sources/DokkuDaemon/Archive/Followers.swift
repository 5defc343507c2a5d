// Who wants to know more of a detached job: of its output, or of its end.

protocol Follower: AnyObject {
    /// There is more output, or the job has ended.
    func jobDidAdvance()
    /// The daemon stops. What waits now runs only after its next start.
    func daemonWillStop()
}

/// Followers stay until they leave.
final class Followers {
    private var lists: [UInt64: [any Follower]] = [:]

    func add(_ follower: any Follower, to job: UInt64) { lists[job, default: []].append(follower) }

    func remove(_ follower: any Follower, from job: UInt64) {
        lists[job]?.removeAll { $0 === follower }
        if lists[job]?.isEmpty == true { lists[job] = nil }
    }

    func tell(of job: UInt64) { for follower in lists[job] ?? [] { follower.jobDidAdvance() } }

    func stop() { for follower in lists.values.joined() { follower.daemonWillStop() } }
}
