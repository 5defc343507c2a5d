// What all clients of a kind of socket share.

/// Who has let a client in, and lets it go.
protocol ClientOwner: AnyObject {
    /// How much may be read at once: less if all clients hold much of lines that are taken later.
    var readLimit: Int { get }
    /// Keeps count of what a client has sent of lines that are not complete. False if that is more than is left for all:
    /// the line is to be dropped, and is not counted.
    func didBuffer(_ count: Int, isRestricted: Bool, was accounted: inout Int) -> Bool
    /// The connection of this number is closed. `wasServed`: it was not turned away.
    func didClose(_ number: Int32, isRestricted: Bool, wasServed: Bool)
}

final class ClientContext {
    let loop: EventLoop
    let limits: ServerLimits
    /// What they may hold together.
    let allotment: Allotment
    let log: AuditLog
    let requests: any RequestTaker
    unowned let owner: any ClientOwner

    init(
        loop: EventLoop, limits: ServerLimits, allotment: Allotment, log: AuditLog,
        requests: any RequestTaker,
        owner: any ClientOwner
    ) {
        self.loop = loop
        self.limits = limits
        self.allotment = allotment
        self.log = log
        self.requests = requests
        self.owner = owner
    }
}
