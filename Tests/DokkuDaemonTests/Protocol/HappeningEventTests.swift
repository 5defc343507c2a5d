// A client reads what `daemon:events` and the listings tell: what the page of the protocol shows, and what a later version may add.
import Testing

@testable import DokkuProtocol

@Suite struct HappeningEventTests {
    private func read(_ line: String) throws(ReplyLine.Failure) -> ReplyLine.Content {
        try ReplyLine(bytes(line)[...]).content
    }

    private static let client = #""client":{"pid":4711,"uid":1000,"gid":1000,"listener":"/run/dokku.sock"}"#
    private static let sender = JobReport.Client(pid: 4711, uid: 1000)

    @Test func `each event is read`() throws {
        #expect(try read(#"{"id":1,"event":"live"}"#) == .happening(.live))
        #expect(try read(#"{"event":"stopping","soon":true}"#) == .happening(.stopping))
        #expect(try read(#"{"event":"lost","count":5}"#) == .happening(.lost(count: 5)))
        #expect(
            try read(#"{"event":"refreshed","commands":240,"read_at":1795905600}"#)
                == .happening(.refreshed(commands: 240, readAt: 1_795_905_600)))
        #expect(try read(#"{"event":"brand_new"}"#) == .unknown(event: "brand_new"))
    }

    @Test func `a job is read from its beginning to its end`() throws {
        func event(_ state: String, _ rest: String) -> String {
            #"{"event":"job","state":"\#(state)","job":11,"command":"ps:rebuild shop",\#(Self.client),"queued_at":5\#(rest)}"#
        }
        var report = JobReport(
            state: .waiting, job: 11, command: "ps:rebuild shop", client: Self.sender, queuedAt: 5)
        #expect(try read(event("queued", "")) == .happening(.job(report)))
        report.state = .running
        report.startedAt = 6
        report.runsWith = 10
        report.isDetached = true
        #expect(
            try read(event("started", #","started_at":6,"runs_with":10,"detached":true"#))
                == .happening(.job(report)))
        report = JobReport(
            state: .ended(.init(date: 9, isOK: false, error: "cancelled")), job: 11,
            command: "ps:rebuild shop",
            client: Self.sender, queuedAt: 5)
        #expect(
            try read(
                event(
                    "ended", #","ended_at":9,"ok":false,"error":"cancelled","queued_ms":1,"run_ms":0"#))
                == .happening(.job(report)))
        report.state = .ended(
            .init(date: 9, isOK: false, status: .signalled("SIGKILL"), ran: .milliseconds(4)))
        #expect(
            try read(
                event("ended", #","ended_at":9,"ok":false,"exit_status":null,"signal":"SIGKILL","run_ms":4"#))
                == .happening(.job(report)))
    }

    @Test func `a state of a later version is passed over`() throws {
        let line =
            #"{"event":"job","state":"asleep","job":11,"command":"x",\#(Self.client),"queued_at":5}"#
        #expect(try read(line) == .unknown(event: "job"))
    }

    @Test(arguments: [
        (#""job":11,"command":"x","queued_at":5"#, "client"), (#""job":-1"#, "job"),
        (#""job":11"#, "command"),
        (#""job":11,"command":"x","client":{"pid":1},"queued_at":5"#, "uid"),
    ])
    func `what is missing or wrong is named`(members: String, key: String) {
        #expect(throws: ReplyLine.Failure.member(key)) {
            try read(#"{"event":"job","state":"queued",\#(members)}"#)
        }
    }

    @Test func `a listing is read`() throws {
        let text =
            #"[{"state":"ended","job":3,"command":"a",\#(Self.client),"queued_at":1,"detached":true,"ended_at":2,"ok":true,"exit_status":0,"queued_ms":0,"run_ms":1,"output_bytes":7},"#
            + #"{"state":"running","job":4,"command":"b",\#(Self.client),"queued_at":1,"started_at":2},"#
            + #"{"state":"dreaming","job":5,"command":"b"},"#
            + ["\"waits_for\":4", "\"waits_for_turn\":true", "\"waits_for_disk\":true"]
            .map { #"{"state":"waiting","job":6,"command":"c",\#(Self.client),"queued_at":1,\#($0)},"# }
            .joined()
            + #"{"state":"waiting","job":6,"command":"c",\#(Self.client),"queued_at":1,"waits_for_lock":{"path":"/l","since_at":1,"holder":{"pid":7,"name":"rsync"}}}]"#
        let reports = try #require(JobReport.all(in: bytes(text)))
        #expect(reports.map(\.job) == [3, 4, 6, 6, 6, 6])
        #expect(
            reports.map(\.obstacle)
                == [nil, nil, .job(4), .turn, .disk, .lock(.init(pid: 7, name: "rsync"))])
        #expect(
            reports[0].state
                == .ended(
                    .init(date: 2, isOK: true, status: .exited(0), ran: .milliseconds(1), outputCount: 7)))
        #expect(JobReport.all(in: bytes("[]")) == [])
    }

    @Test(arguments: ["", "{}", "[1]", #"[{"state":"running"}]"#, "12 running since"])
    func `what is no listing is none`(text: String) {
        #expect(JobReport.all(in: bytes(text)) == nil)
        #expect(DaemonReport(bytes(text)) == nil && VersionReport(bytes(text)) == nil)
    }

    @Test func `the daemon's state is read`() throws {
        let text = #"""
            {"version":"1","started_at":2,"connections":3,"commands_run":4,"commands_failed":5,"running":6,"waiting":7,
            "readers":{"busy":8,"limit":9},"workers":{"busy":1,"limit":1},"catalogue":{"commands":240,"read_at":10},
            "waits_for_lock":{"path":"/l","since_at":11},"mood":"good"}
            """#
        let report = try #require(DaemonReport(bytes(text)))
        #expect(report.version == "1" && report.readers == .init(busy: 8, limit: 9))
        #expect(report.catalogue == .init(commands: 240, readAt: 10))
        #expect(report.lock == .init(path: "/l", since: 11, holder: .init()))
        #expect(
            VersionReport(bytes(#"{"version":"1","features":["events","x"]}"#))
                == VersionReport(version: "1", features: ["events", "x"]))
    }
}
