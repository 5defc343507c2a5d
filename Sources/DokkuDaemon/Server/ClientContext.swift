// What all clients of one kind of socket share.

/// Lets a client in, and is told of its end.
protocol ClientOwner: AnyObject {
    /// How much may be read at once: less if unfinished lines hold much memory.
    var readLimit: Int { get }
    /// Counts a client's bytes of unfinished lines. False if there is no room for them: then the line must be
    /// dropped, and is not counted.
    func didBuffer(_ count: Int, isRestricted: Bool, was accounted: inout Int) -> Bool
    /// The connection with this number is closed. `wasServed` is false if it was turned away.
    func didClose(_ number: Int32, isRestricted: Bool, wasServed: Bool)
}

final class ClientContext {
    let loop: EventLoop
    let limits: ServerLimits
    /// What these clients may hold together.
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
