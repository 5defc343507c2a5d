// `builds:output`: of a build that is over it is what there is, of one that runs all of it up to the build's end.
import Foundation
import TestSupport
import Testing

@Suite struct BuildOutputTests {
    /// A daemon whose dokku has a build `id1` of an app `app`, which this process stands for.
    private func daemon(status: String) throws -> DaemonProcess {
        let box = try Box()
        try FileManager.default.createDirectory(
            atPath: box.path("lib/data/builds/app"), withIntermediateDirectories: true)
        try box.write("-----> Building\n", to: "lib/data/builds/app/id1.log")
        try record(status, in: box)
        return try DaemonProcess(
            box, sockets: [BoundSocket(box.path("socket"))], settings: ["DOKKU_LIB_ROOT": box.path("lib")]
        )
    }

    private func record(_ status: String, in box: Box) throws {
        try box.write(
            #"{"id":"id1","pid":\#(getpid()),"status":"\#(status)"}"#, to: "lib/data/builds/app/new")
        rename(box.path("lib/data/builds/app/new"), box.path("lib/data/builds/app/id1.json"))
    }

    private func end(_ box: Box) throws {
        let log = try checked("open", open(box.path("lib/data/builds/app/id1.log"), O_WRONLY | O_APPEND))
        defer { close(log) }
        try writeAll(Array("=====> Deployed\n".utf8), to: log)
        try record("succeeded", in: box)
    }

    @Test func `a stream ends with the build`() throws {
        let daemon = try daemon(status: "running")
        let client = try daemon.connect()
        try client.order(#"{"id":1,"command":["builds:output","app","id1"],"stream":true}"#)
        #expect(try client.answer()["event"] == .text("started"))
        #expect(try client.answer()["data"] == .text("-----> Building\n"))
        try end(daemon.box)
        let events = try client.events()
        #expect(events.data() == "=====> Deployed\n")
        #expect(events.last?["ok"] == .bool(true) && events.last?["exit_status"] == .number(0))
        #expect(try daemon.ask("daemon:queue") == .good(""))
    }

    @Test func `a plain line is answered when the build is over`() throws {
        let daemon = try daemon(status: "running")
        let client = try daemon.connect()
        try client.send("builds:output app id1\n")
        try daemon.started("builds:output")
        // Nobody waits for it.
        #expect(try daemon.ask("apps:create other").ok)
        try end(daemon.box)
        #expect(try client.reply() == .good("-----> Building\n=====> Deployed"))
    }

    @Test func `a build that is over is shown as it is`() throws {
        let daemon = try daemon(status: "failed")
        #expect(try daemon.ask("builds:output app id1") == .good("-----> Building"))
    }
}
