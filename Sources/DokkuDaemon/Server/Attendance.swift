// Counts the connections: those that are served, and those that are only told that there are too many.

final class Attendance {
    var served: Admission
    var turnedAway: Admission

    init(limits: ServerLimits) {
        served = Admission(limit: limits.connections)
        turnedAway = Admission(limit: limits.turnedAway)
    }

    var count: Int { served.count + turnedAway.count }
}
