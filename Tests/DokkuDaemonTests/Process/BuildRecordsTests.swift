// Which build a command shows, and whether it runs.
import Glibc
import TestSupport
import Testing

@testable import DokkuDaemon
@testable import DokkuProtocol

@Suite struct BuildRecordsTests {
    private let folder: Folder

    init() throws { folder = try Folder() }

    private func query(_ words: ArgumentList) -> BuildRecords.Query? {
        Invocation(words).flatMap { BuildRecords.Query($0) }
    }

    @Test func `the app and the build are words`() {
        #expect(query(["builds:output", "app", "id1"])?.app == "app")
        #expect(query(["builds:output", "app", "id1"])?.id == "id1")
        for words in [
            ["builds:output", "app"], ["builds:output", "app", "current"], ["--app", "app", "builds:output"],
            ["--quiet", "builds:output", "--", "app"],
        ] {
            #expect(query(ArgumentList(words))?.app == "app")
            #expect(query(ArgumentList(words))?.id == nil)
        }
        #expect(query(["--app", "app", "builds:output", "id1"])?.id == "id1")
    }

    @Test(arguments: [
        ["builds:output"], ["builds:list", "app"], ["builds:output", "../app"], ["builds:output", ".", "id"],
        ["builds:output", "app", "../id"], ["builds:output", "--flag", "app"], ["builds:output", ""],
    ])
    func `other lines name no build`(words: [String]) { #expect(query(ArgumentList(words)) == nil) }

    private func record(_ id: String, _ text: String) throws {
        try folder.makeFolder("data/builds/app")
        try folder.write(text, to: "data/builds/app/\(id).json")
    }

    @Test func `a build runs while its record and its process say so`() throws {
        let records = BuildRecords(library: folder.path)
        #expect(!records.isRunning("id1", of: "app"))
        try record("id1", #"{"id":"id1","pid":\#(getpid()),"status":"running"}"#)
        #expect(records.isRunning("id1", of: "app"))
        try record("id1", #"{"id":"id1","pid":\#(getpid()),"status":"succeeded"}"#)
        #expect(!records.isRunning("id1", of: "app"))
        for pid in ["0", "-1", "99999999999", "4194305", "\"1\""] {
            try record("id1", #"{"id":"id1","pid":\#(pid),"status":"running"}"#)
            #expect(!records.isRunning("id1", of: "app"), "\(pid)")
        }
        for text in ["", "{", "[]", "null"] {
            try record("id1", text)
            #expect(!records.isRunning("id1", of: "app"), "\(text)")
        }
    }

    @Test func `a build without an id is the one that deploys the app`() throws {
        let records = BuildRecords(library: folder.path)
        let words = self.query(["builds:output", "app"])
        let query = try #require(words)
        try record("id1", #"{"pid":\#(getpid()),"status":"running"}"#)
        #expect(records.running(query) == nil)
        try folder.makeFolder("data/apps/app")
        try folder.write("id1\n", to: "data/apps/app/.deploy.lock")
        #expect(records.running(query) == "id1")
        try folder.write("../../id1\n", to: "data/apps/app/.deploy.lock")
        #expect(records.running(query) == nil)
    }
}
