// What listings and events tell programs about a job. Nothing in it is secret.
import DokkuProtocol

extension Job {
    /// Adds the members that all descriptions of a job have. `state` is the word for where it stands.
    func describe(as state: String, in json: inout JSONWriter) {
        json.add("state", state)
        json.add("job", number)
        json.add("command", title)
        json.addObject("client", peer.describe)
        json.add("queued_at", queuedDate)
        if startedAt != nil { json.add("started_at", startedDate) }
        if command.request.isDetached { json.add("detached", true) }
        if let lead { json.add("runs_with", lead) }
    }
}

extension Peer {
    func describe(in json: inout JSONWriter) {
        json.add("pid", pid)
        json.add("uid", uid)
        json.add("gid", gid)
        json.add("listener", listener)
    }
}
