// Where dokku's tracing may be turned on, and whether it is seen.
import Glibc
import TestSupport
import Testing

@testable import DokkuDaemon

@Suite struct TracingTests {
    private let folder: Folder
    private let tracing: Tracing

    init() throws {
        folder = try Folder()
        tracing = Tracing(environment: ["DOKKU_ROOT": folder.path], defaults: folder.path("default"))
    }

    @Test(arguments: ["default", "dokkurc", ".dokkurc/DOKKU_TRACE", ".dokkurc/own"])
    func `tracing is seen in each file that dokku sources`(name: String) throws {
        #expect(!tracing.isOn)
        try folder.makeFolder(".dokkurc")
        #expect(!tracing.isOn)
        try folder.write("DOKKU_ROOT=/home/dokku\n  export DOKKU_TRACE=1\n", to: name)
        #expect(tracing.isOn)
        unlink(folder.path(name))
        #expect(!tracing.isOn)
    }

    @Test func `a file that changes is read again`() throws {
        try folder.write("DOKKU_ROOT=/home/dokku\n", to: "default")
        #expect(!tracing.isOn)
        try folder.write("set -x\n", to: "default")
        #expect(tracing.isOn)
        try folder.write("# export DOKKU_TRACE=1\nDOKKU_HOST_ROOT=/home/dokku\n", to: "default")
        #expect(!tracing.isOn)
    }

    @Test func `a path that is no file is no tracing`() throws {
        try folder.makeFolder(".dokkurc/DOKKU_TRACE")
        #expect(mkfifo(folder.path("default"), 0o600) == 0)
        #expect(!tracing.isOn)
    }
}
