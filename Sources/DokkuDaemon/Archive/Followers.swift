// Who wants to know more of a detached job: of its output, or of its end.

protocol Follower: AnyObject {
    /// There is more output.
    func jobDidWrite()
    /// The job has ended.
    func jobDidEnd()
    /// The daemon stops. What waits now runs only after its next start.
    func daemonWillStop()
}

/// Followers stay until they leave. They may be thousands, and all leave at once.
final class Followers {
    private var followers: [UInt64: [ObjectIdentifier: any Follower]] = [:]

    func add(_ follower: any Follower, to job: UInt64) {
        followers[job, default: [:]][ObjectIdentifier(follower)] = follower
    }

    func remove(_ follower: any Follower, from job: UInt64) {
        followers[job]?[ObjectIdentifier(follower)] = nil
        if followers[job]?.isEmpty == true { followers[job] = nil }
    }

    func jobDidWrite(_ job: UInt64) { followers[job]?.values.forEach { $0.jobDidWrite() } }

    func jobDidEnd(_ job: UInt64) { followers[job]?.values.forEach { $0.jobDidEnd() } }

    func stop() { for follower in followers.values.flatMap(\.values) { follower.daemonWillStop() } }
}
