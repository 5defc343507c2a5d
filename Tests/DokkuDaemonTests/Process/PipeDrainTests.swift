// Pipes that commands have left behind.
import CEpollShim
import Glibc
import TestSupport
import Testing

@testable import DokkuDaemon

@Suite struct PipeDrainTests {
    private func adopt(_ count: Int, into drain: PipeDrain) throws -> [ConnectedPair] {
        try (0..<count).map { _ in
            let ends = try ConnectedPair.readable()
            drain.adopt(try ends.takeOurs())
            return ends
        }
    }

    @Test func `nobody's process ends for another's sake`() throws {
        let loop = try EventLoop()
        let drain = PipeDrain(loop: loop, limit: DescriptorBudget.usualLeftOverPipes)
        let pipes = try adopt(400, into: drain)
        try withoutBrokenPipeSignal { for pipe in pipes { try pipe.send("too late") } }
        try loop.turnOnce()
        for pipe in pipes { pipe.closeTheirs() }
        try loop.turn(until: drain.isEmpty)
    }

    @Test func `only the newest pipe is lost when descriptors run out`() throws {
        let loop = try EventLoop()
        let drain = PipeDrain(loop: loop, limit: 2)
        let pipes = try adopt(3, into: drain)
        try withoutBrokenPipeSignal {
            try pipes[0].send("x")
            try pipes[1].send("x")
            #expect(throws: SystemFailure.self) { try pipes[2].send("x") }
        }
        withExtendedLifetime(pipes) {}
    }
}
