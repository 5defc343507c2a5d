// The socket units of the service, found as systemd finds them.
import Glibc
import TestSupport
import Testing

@testable import DokkuDaemon

@Suite struct SocketUnitsTests {
    private let folder: Folder

    init() throws {
        folder = try Folder()
        for name in ["etc", "lib"] { _ = try folder.makeFolder(name) }
    }

    private var found: [SocketUnit] {
        SocketUnits(environment: ["SYSTEMD_UNIT_PATH": "\(folder.path("etc")):\(folder.path("lib"))"]).all()
    }

    private func unit(_ socket: String) -> String {
        "# A comment\n[Socket]\nListenStream=/run/x.sock\n\(socket)\n[Install]\nService=other.service\n"
    }

    @Test func `units of the service are found with their rules`() throws {
        try folder.write(
            unit("Service=dokku-daemon.service\nFileDescriptorName=name=ci,allow=ci"), to: "lib/b.socket")
        try folder.write(unit(""), to: "lib/dokku-daemon.socket")
        try folder.write(unit(""), to: "lib/other.socket")
        try folder.write(unit("Service=sshd.service"), to: "lib/c.socket")
        try folder.write(unit("Service=dokku-daemon.service"), to: "lib/d@.socket")
        try folder.write(unit("Service=dokku-daemon.service"), to: "lib/e.service")
        #expect(found.map(\.name) == ["b.socket", "dokku-daemon.socket"])
        #expect(found.map(\.rules) == ["name=ci,allow=ci", "dokku-daemon.socket"])
        #expect(found.map(\.paths) == [["/run/x.sock"], ["/run/x.sock"]])
    }

    @Test func `an earlier folder counts, and a masked unit is none`() throws {
        try folder.write(unit("FileDescriptorName=read-only"), to: "lib/dokku-daemon.socket")
        try folder.write(unit("FileDescriptorName=one-shot"), to: "etc/dokku-daemon.socket")
        #expect(found.map(\.rules) == ["one-shot"])
        unlink(folder.path("etc/dokku-daemon.socket"))
        symlink("/dev/null", folder.path("etc/dokku-daemon.socket"))
        #expect(found.isEmpty)
    }

    @Test func `drop-ins change a unit`() throws {
        try folder.write(unit(""), to: "lib/dokku-daemon.socket")
        for name in ["etc/dokku-daemon.socket.d", "lib/dokku-daemon.socket.d"] {
            _ = try folder.makeFolder(name)
        }
        try folder.write("[Socket]\nListenStream=/later\n", to: "lib/dokku-daemon.socket.d/20.conf")
        try folder.write(
            "[Socket]\n ListenStream = \nListenStream=/first\nFileDescriptorName=name=ci,\\\nread-only\n",
            to: "etc/dokku-daemon.socket.d/10.conf")
        try folder.write("[Socket]\nFileDescriptorName=one-shot\n", to: "lib/dokku-daemon.socket.d/10.conf")
        #expect(found.map(\.paths) == [["/first", "/later"]])
        // As systemd does, a line that goes on gets a blank.
        #expect(found.map(\.rules) == ["name=ci, read-only"])
    }

    @Test func `the usual folders are added at a colon`() throws {
        try folder.write(unit(""), to: "lib/dokku-daemon.socket")
        let environment = ["SYSTEMD_UNIT_PATH": folder.path("lib") + ":"]
        #expect(SocketUnits(environment: environment).all().map(\.name).contains("dokku-daemon.socket"))
    }
}
