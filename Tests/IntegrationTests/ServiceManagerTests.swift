// What the service manager is told.
import Glibc
import TestSupport
import Testing

@Suite struct ServiceManagerTests {
    @Test func `readiness and the end are told`() throws {
        let daemon = try DaemonProcess()
        try daemon.manager.line("STATUS=", from: daemon.process)
        daemon.process.signal(SIGTERM)
        try daemon.process.wait()
        daemon.manager.receive()
        #expect(daemon.manager.messages.contains("STOPPING=1"))
    }

    @Test func `a status of a moment ago does not hide the stop`() throws {
        let daemon = try DaemonProcess(["WATCHDOG_USEC": "2000000"])
        let fifo = try daemon.box.fifo()
        let client = try daemon.connect()
        try client.send("test:block \(fifo.path)\n")
        try daemon.started("test:block")
        daemon.process.signal(SIGTERM)
        try daemon.manager.line("STOPPING=1", from: daemon.process)
        var later: [String] = []
        // The watchdog is fed every second, which is as often as the status is told.
        for _ in 0..<2 {
            daemon.manager.forget()
            try daemon.manager.line("WATCHDOG=1", from: daemon.process)
            later += daemon.manager.messages
        }
        #expect(later.allSatisfy { !$0.contains("STATUS=") || $0.contains("STATUS=Stopping: ") }, "\(later)")
        try fifo.release()
        #expect(try client.reply() == .good("waiting\ndone"))
    }

    @Test func `the watchdog is fed while a command runs`() throws {
        let daemon = try DaemonProcess(["WATCHDOG_USEC": "200000"])
        let fifo = try daemon.box.fifo()
        let client = try daemon.connect()
        try client.send("test:block \(fifo.path)\n")
        try daemon.started("test:block")
        for _ in 0..<3 {
            try daemon.manager.line("WATCHDOG=1", from: daemon.process)
            daemon.manager.forget()
        }
        try fifo.release()
        #expect(try client.reply() == .good("waiting\ndone"))
    }

    /// The interval is shorter than a command takes: it is told something each time, and finds no room.
    @Test func `a manager that does not read holds up nobody`() throws {
        let daemon = try DaemonProcess(["WATCHDOG_USEC": "4000"])
        try daemon.manager.fill()
        for _ in 0..<10 { #expect(try daemon.ask("test:args on") == .good("<on>")) }
        #expect(try daemon.stop() == .status(0))
    }
}
