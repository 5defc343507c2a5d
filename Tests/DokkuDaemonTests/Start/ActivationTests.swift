// Descriptors that a start takes over, as systemd passes them. That systemd's variables are obeyed is tested with the built
// daemon: they and the descriptors from 3 on belong to a whole process.
import CEpollShim
import Foundation
import TestSupport
import Testing

@testable import DokkuDaemon
@testable import DokkuProtocol

@Suite struct ActivationTests {
    private let folder: Folder

    init() throws { folder = try Folder() }

    /// A listening socket as systemd makes it: it blocks.
    private func listener(_ name: String) throws -> Int32 {
        let number = shim_unix_socket()
        try #require(shim_bind(number, folder.path(name)) == 0 && listen(number, 8) == 0)
        try #require(fcntl(number, F_SETFL, fcntl(number, F_GETFL) & ~O_NONBLOCK) == 0)
        return number
    }

    @Test func `nothing that is handed over is no fault`() throws {
        let (sockets, faults) = try Activation.takeOver([])
        #expect(sockets.isEmpty && faults.isEmpty)
    }

    @Test func `sockets come with their paths and rules`() throws {
        let (sockets, faults) = try Activation.takeOver([
            (listener("one"), "dokku-daemon.socket"), (listener("two"), "read-only,one-shot"),
        ])
        #expect(faults.isEmpty)
        #expect(sockets.map(\.name) == [folder.path("one"), folder.path("two")])
        #expect(
            sockets.map(\.rules) == [ListenerRules(), ListenerRules([.readOnly, .oneShot])],
            "systemd's own name has no rules")
        for socket in sockets {
            #expect(socket.ownFile == nil, "its file is systemd's")
            guard let descriptor = socket.takeDescriptor() else {
                Issue.record("it has no descriptor")
                continue
            }
            #expect(fcntl(descriptor.number, F_GETFL) & O_NONBLOCK != 0, "accept does not block")
            let isThereAnother = socket.takeDescriptor() != nil
            #expect(!isThereAnother)
        }
    }

    @Test func `a descriptor that is no listener is told and closed beside one that is`() throws {
        let ends = try ConnectedPair.sockets()
        let other = try ends.takeOurs().relinquish()
        let (sockets, faults) = try Activation.takeOver([(other, "pair"), (listener("right"), "")])
        #expect(sockets.map(\.name) == [folder.path("right")])
        #expect(faults == ["descriptor \(other) (pair) from systemd is not a listening unix stream socket"])
        #expect(try ends.receive() == [], "its other end sees the end")
    }

    @Test func `nothing but wrong descriptors stops the start`() throws {
        let (one, two) = (open("/dev/null", O_RDWR), shim_unix_socket())
        let error = #expect(throws: StartFailure.self) {
            _ = try Activation.takeOver([(one, "a"), (two, "b")])
        }
        #expect(error?.exitStatus == EX_UNAVAILABLE)
        let text = error?.description ?? ""
        #expect(text.contains("\(one) (a)") && text.contains("\(two) (b)"), "both are named: \(text)")
    }

    @Test func `an unknown rule is told and the known ones hold`() throws {
        let (sockets, faults) = try Activation.takeOver([(listener("odd"), "read-only,odd")])
        #expect(sockets.map(\.rules) == [ListenerRules(.readOnly)])
        #expect(faults.count == 1)
        #expect(faults.first?.contains(folder.path("odd")) == true, "\(faults)")
        #expect(faults.first?.contains("read-only,odd") == true, "\(faults)")
    }
}
