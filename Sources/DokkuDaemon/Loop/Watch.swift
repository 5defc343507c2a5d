// A descriptor and its registration with the loop, as one thing with one end.

/// A handler's hold on its descriptor. It stays usable after its end: then it waits for nothing and gives nothing.
struct Watch: ~Copyable {
    private struct Registered: ~Copyable {
        let descriptor: Descriptor
        /// Nil before `start` and after `stop`.
        var token: Token?
    }

    private enum State: ~Copyable {
        case open(Registered)
        /// Closed, or given to another owner.
        case closed
    }

    private let loop: EventLoop
    private var state: State

    init(_ descriptor: consuming Descriptor, in loop: EventLoop) {
        self.loop = loop
        state = .open(Registered(descriptor: descriptor, token: nil))
    }

    /// Registers the descriptor. `handler` settles at the end of this turn.
    mutating func start(for handler: any EventHandler) {
        if let descriptor = takeDescriptor() {
            let token = loop.add(descriptor, handler)
            state = .open(Registered(descriptor: descriptor, token: token))
        }
    }

    /// -1 if it is closed.
    var number: Int32 { withDescriptor { $0.number } ?? -1 }

    var isClosed: Bool {
        switch state {
        case .open: false
        case .closed: true
        }
    }

    private var token: Token? {
        switch state {
        case .open(let registered): registered.token
        case .closed: nil
        }
    }

    /// Calls the handler's `settle` at the end of this turn.
    func mark() { if let token { loop.mark(token) } }

    /// Nil if it is closed.
    func withDescriptor<Result, Failure>(
        _ body: (borrowing Descriptor) throws(Failure) -> Result
    ) throws(Failure) -> Result? {
        switch state {
        case .open(let registered): try body(registered.descriptor)
        case .closed: nil
        }
    }

    /// Leaves the loop and keeps the descriptor open. `isShared`: another process may hold it (`EventLoop.remove`).
    mutating func stop(isShared: Bool = true) {
        if let descriptor = takeDescriptor(isShared: isShared) {
            state = .open(Registered(descriptor: descriptor, token: nil))
        }
    }

    /// Leaves the loop and closes the descriptor.
    mutating func close(isShared: Bool = true) { _ = takeDescriptor(isShared: isShared) }

    /// Leaves the loop and gives the descriptor to another owner; nil if it is closed.
    mutating func takeDescriptor(isShared: Bool = true) -> Descriptor? {
        var taken = State.closed
        swap(&taken, &state)
        switch consume taken {
        case .open(let registered):
            if let token = registered.token { loop.remove(token, isShared: isShared) }
            return registered.descriptor
        case .closed: return nil
        }
    }
}
