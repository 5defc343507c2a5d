// A judged command, with everything that it needs to run.
import DokkuProtocol

/// What to run, and how.
struct Command {
    let invocation: Invocation
    let lane: Lane
    /// What it may change.
    let scope: Scope
    var request: RunRequest

    init(invocation: Invocation, lane: Lane, request: RunRequest = RunRequest()) {
        self.invocation = invocation
        self.lane = lane
        self.request = request
        scope = Scope(of: invocation, changesFiles: request.namesOutput)
    }
}
