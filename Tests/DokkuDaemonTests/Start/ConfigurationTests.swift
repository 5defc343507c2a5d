// Every setting: its default, its value, and what is refused by name.
import DokkuProtocol
import Glibc
import Testing

@testable import DokkuDaemon

@Suite struct ConfigurationTests {
    private struct Wrong: Error { var faults: [String] }

    private func read(_ environment: [String: String] = [:]) throws(Wrong) -> Configuration {
        let configuration = Configuration(environment: environment)
        if !configuration.faults.isEmpty { throw Wrong(faults: configuration.faults) }
        return configuration
    }

    @Test func `paths have defaults`() throws {
        let settings = try read()
        #expect(settings.socketPath == "/var/run/dokku-daemon/dokku-daemon.sock")
        #expect(!settings.isSocketPathGiven)
        #expect(settings.lockPath == "/var/lock/dokku-daemon/dokku-daemon.lock")
        #expect(settings.logPath == "/var/log/dokku/dokku-daemon.log")
        #expect(settings.program == "dokku")
        #expect(settings.stateFolder == "/var/lib/dokku-daemon")
        #expect(settings.listenerRules == ListenerRules())
        #expect(settings.allowFolder == "/etc/dokku-daemon/allow")
    }

    private typealias Size = (name: String, standard: Int, value: (Configuration) -> Int)
    private typealias Time = (name: String, standard: Duration?, value: (Configuration) -> Duration?)

    private let sizes: [Size] = [
        ("DOKKU_DAEMON_MAX_LINE", 1 << 20, { $0.serverLimits.line }),
        ("DOKKU_DAEMON_MAX_INPUT", 1 << 30, { $0.serverLimits.input }),
        ("DOKKU_DAEMON_MAX_BUFFER", 16 << 20, { $0.serverLimits.buffer }),
        ("DOKKU_DAEMON_MAX_CONNECTIONS", 1000, { $0.serverLimits.connections }),
        ("DOKKU_DAEMON_MAX_OPEN", 64, { $0.serverLimits.open }),
        ("DOKKU_DAEMON_MAX_QUEUE", 1000, { $0.queueLimit }),
        ("DOKKU_DAEMON_MAX_FOLLOW", 16, { $0.executorLimits.follow }),
        ("DOKKU_DAEMON_MAX_OUTPUT", 256 << 20, { $0.executorLimits.output }),
        ("DOKKU_DAEMON_MAX_SPOOL", 2 << 30, { $0.spoolLimit }),
        ("DOKKU_DAEMON_MAX_JOBS", 1000, { $0.archiveLimits.jobs }),
        ("DOKKU_DAEMON_MAX_KEPT", 1 << 30, { $0.archiveLimits.bytes }),
    ]

    private let times: [Time] = [
        ("DOKKU_DAEMON_TIMEOUT", nil, { $0.executorLimits.timeout }),
        ("DOKKU_DAEMON_INPUT_TIMEOUT", .seconds(60), { $0.serverLimits.inputTime }),
        ("DOKKU_DAEMON_KILL_GRACE", .seconds(30), { $0.killGrace }),
        ("DOKKU_DAEMON_DRAIN_GRACE", .seconds(2), { $0.drainGrace }),
        ("DOKKU_DAEMON_KEEP", .seconds(86_400), { $0.archiveLimits.keep }),
        ("DOKKU_DAEMON_STOP_GRACE", .seconds(25), { $0.stopGrace }),
        ("DOKKU_DAEMON_IDLE_EXIT", nil, { $0.idleExit }),
    ]

    @Test func `sizes are decimal`() throws {
        for (name, standard, value) in sizes {
            #expect(try value(read()) == standard, "\(name)")
            #expect(try value(read([name: ""])) == standard, "\(name)")
            #expect(try value(read([name: "12345"])) == 12345, "\(name)")
        }
    }

    @Test func `a wrong size is refused by name`() {
        let wrong = ["0", "-1", "+1", "1k", "0x10", " 1", "1.5", "9007199254740993", "99999999999999999999"]
        for (name, _, _) in sizes {
            for text in wrong {
                let failure = #expect(throws: Wrong.self) { try read([name: text]) }
                #expect(failure?.faults.count == 1, "\(name)")
                #expect(failure?.faults.first?.hasPrefix("\(name) is \"\(text)\", but must be ") == true)
            }
        }
    }

    @Test func `readers and workers are few`() throws {
        let standard = try read().executorLimits.schedule
        #expect(standard.readers == 0 && standard.workers == 1)
        let most = try read(["DOKKU_DAEMON_READERS": "64", "DOKKU_DAEMON_WORKERS": "64"]).executorLimits
        #expect(most.schedule.readers == 64 && most.schedule.workers == 64)
        for (name, text) in [("READERS", "-1"), ("READERS", "65"), ("WORKERS", "0"), ("WORKERS", "65")] {
            let failure = #expect(throws: Wrong.self) { try read(["DOKKU_DAEMON_\(name)": text]) }
            #expect(failure?.faults.first?.contains("a whole number from ") == true)
        }
    }

    @Test func `times are seconds with decimals`() throws {
        for (name, standard, value) in times {
            #expect(try value(read()) == standard, "\(name)")
            #expect(try value(read([name: ""])) == standard, "\(name)")
            #expect(try value(read([name: "7"])) == .seconds(7), "\(name)")
            #expect(try value(read([name: "0.25"])) == .milliseconds(250), "\(name)")
        }
    }

    @Test func `zero means no limit but also no grace`() throws {
        #expect(try read(["DOKKU_DAEMON_TIMEOUT": "0"]).executorLimits.timeout == nil)
        #expect(try read(["DOKKU_DAEMON_INPUT_TIMEOUT": "0"]).serverLimits.inputTime == nil)
        #expect(try read(["DOKKU_DAEMON_IDLE_EXIT": "0.0"]).idleExit == nil)
        #expect(try read(["DOKKU_DAEMON_KILL_GRACE": "0"]).killGrace == .zero)
    }

    @Test func `a wrong time is refused by name`() {
        for (name, _, _) in times {
            for text in ["-1", "1s", "1e3", "inf", "nan", "1.2.3", ".", " 1", "99999999999"] {
                let failure = #expect(throws: Wrong.self) { try read([name: text]) }
                #expect(failure?.faults.count == 1, "\(name)")
                #expect(failure?.faults.first?.hasPrefix("\(name) is \"\(text)\", but must be ") == true)
            }
        }
    }

    @Test func `given paths are taken`() throws {
        let settings = try read([
            "DOKKU_SOCK_PATH": "/a", "DOKKU_LOCK_PATH": "/b", "DOKKU_DAEMON_LOGFILE": "/c",
            "DOKKU_DAEMON_STATE_DIR": "/d", "STATE_DIRECTORY": "/e", "DOKKU_DAEMON_DOKKU": "/f/dokku",
        ])
        #expect(settings.socketPath == "/a")
        #expect(settings.isSocketPathGiven)
        #expect(settings.lockPath == "/b")
        #expect(settings.logPath == "/c")
        #expect(settings.stateFolder == "/d")
        #expect(settings.program == "/f/dokku")
    }

    @Test func `systemd's state folder is taken`() throws {
        #expect(try read(["STATE_DIRECTORY": "/e"]).stateFolder == "/e")
        #expect(try read(["STATE_DIRECTORY": "/e:/f"]).stateFolder == "/e")
        #expect(try read(["STATE_DIRECTORY": ""]).stateFolder == "/var/lib/dokku-daemon")
    }

    @Test func `a path is absolute`() throws {
        let names = [
            "DOKKU_SOCK_PATH", "DOKKU_LOCK_PATH", "DOKKU_DAEMON_LOGFILE", "DOKKU_DAEMON_STATE_DIR",
            "DOKKU_LIB_ROOT", "PLUGIN_PATH", "PLUGIN_CORE_PATH",
        ]
        for name in names {
            let failure = #expect(throws: Wrong.self) { try read([name: "x/y"]) }
            #expect(failure?.faults.first?.hasPrefix("\(name) is \"x/y\", but must be ") == true)
        }
        for name in names.prefix(3) {
            #expect(throws: Wrong.self, "\(name)") { try read([name: "/x/y/"]) }
        }
        #expect(throws: Wrong.self) { try read(["DOKKU_DAEMON_DOKKU": "./dokku"]) }
        #expect(try read(["DOKKU_DAEMON_DOKKU": "dokku2"]).program == "dokku2")
        #expect(throws: Wrong.self) {
            try read(["DOKKU_SOCK_PATH": "/" + String(repeating: "x", count: 107)])
        }
        #expect(try read(["DOKKU_SOCK_PATH": "/" + String(repeating: "x", count: 106)]).isSocketPathGiven)
    }

    @Test func `all that is wrong is reported`() {
        let wrong = ["DOKKU_DAEMON_MAX_LINE": "0", "DOKKU_DAEMON_TIMEOUT": "x", "DOKKU_LOCK_PATH": "y"]
        let failure = #expect(throws: Wrong.self) { try read(wrong) }
        #expect(failure?.faults.count == 3)
    }

    @Test func `a value is shown in one line`() {
        let failure = #expect(throws: Wrong.self) { try read(["DOKKU_DAEMON_JOURNAL": "a\nb\u{1B}[1m"]) }
        #expect(failure?.faults.first?.contains { $0.isNewline || $0 == "\u{1B}" } == false)
    }

    @Test func `unknown names are no fault`() throws {
        let settings = try read([
            "DOKKU_DAEMON_TIMEOUTS": "1", "DOKKU_DAEMON_TIMEOUT": "1", "DOKKU_HOST": "x",
        ])
        #expect(settings.warnings == ["unknown setting DOKKU_DAEMON_TIMEOUTS"])
    }

    @Test func `an empty path is not set`() throws {
        let settings = try read([
            "DOKKU_SOCK_PATH": "", "DOKKU_DAEMON_LOGFILE": "", "DOKKU_DAEMON_DOKKU": "",
            "DOKKU_DAEMON_LISTENER": "",
        ])
        #expect(!settings.isSocketPathGiven)
        #expect(settings.socketPath == "/var/run/dokku-daemon/dokku-daemon.sock")
        #expect(settings.logPath == "/var/log/dokku/dokku-daemon.log")
        #expect(settings.program == "dokku")
    }

    @Test func `the log can be turned off`() throws {
        #expect(try read(["DOKKU_DAEMON_LOGFILE": "none"]).logPath == nil)
    }

    @Test func `the daemon's own socket has options`() throws {
        let settings = try read(["DOKKU_DAEMON_LISTENER": "one-shot,raw-words"])
        #expect(settings.listenerRules == ListenerRules([.oneShot, .rawWords]))
        let failure = #expect(throws: Wrong.self) { try read(["DOKKU_DAEMON_LISTENER": "odd"]) }
        let expected = "DOKKU_DAEMON_LISTENER is \"odd\", but must be a list of rules, "
        #expect(failure?.faults.first?.hasPrefix(expected) == true)
    }
}
