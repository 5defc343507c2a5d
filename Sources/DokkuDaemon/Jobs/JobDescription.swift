// What listings and events tell programs about a job. Nothing in it is secret.
import DokkuProtocol
import Glibc

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

    /// Adds the members of the event that tells where the job stands now. Of a job that has ended, tell it at once.
    func describeEvent(in json: inout JSONWriter) {
        json.add("event", "job")
        if case .ended(let status) = state {
            describe(as: "ended", in: &json)
            describeEnd(status, in: &json)
        } else {
            describe(as: startedAt == nil ? "queued" : "started", in: &json)
        }
    }

    /// What the last line of an answer says, and when it was.
    private func describeEnd(_ status: ExitStatus?, in json: inout JSONWriter) {
        json.add("ended_at", time(nil))
        json.add("ok", isSuccess)
        if let failure {
            json.add("error", failure.reason.code.rawValue)
            if failure.isOutputCut { json.add("output_truncated", true) }
        }
        json.add(status)
        json.add("queued_ms", queuedDuration.wholeMilliseconds)
        json.add("run_ms", runDuration.wholeMilliseconds)
    }
}

extension Peer {
    func describe(in json: inout JSONWriter) {
        json.add("pid", pid)
        json.add("uid", uid)
        json.add("gid", gid)
        if let cgroup { json.add("cgroup", cgroup) }
        if let user = rules.user { json.add("name", user) }
        json.add("listener", listener)
    }
}

extension JSONWriter {
    /// How a process ended, as the last line of an answer has it; nothing if there was none.
    mutating func add(_ status: ExitStatus?) {
        switch status {
        case nil: break
        case .exited(let status): add("exit_status", status)
        case .signalled(let signal):
            addNull("exit_status")
            add("signal", signal)
        }
    }
}
