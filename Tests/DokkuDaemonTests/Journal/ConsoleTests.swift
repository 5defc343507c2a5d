// Whether the daemon speaks to the journal or to somebody else.
import Glibc
import Testing

@testable import DokkuDaemon

@Suite struct ConsoleTests {
    /// The variable as systemd would set it for what standard error is right now.
    private var stream: String {
        var status = stat()
        fstat(STDERR_FILENO, &status)
        return "\(status.st_dev):\(status.st_ino)"
    }

    @Test func `standard error is the journal's if the variable means that very file`() {
        #expect(Console.isJournal(["JOURNAL_STREAM": stream]))
        #expect(!Console.isJournal([:]))
        #expect(!Console.isJournal(["JOURNAL_STREAM": "1:1"]), "inherited from somebody whose it was")
        #expect(!Console.isJournal(["INVOCATION_ID": "0123"]))
    }

    @Test func `the setting and the stream decide if the journal is written`() {
        func configuration(_ setting: String?) -> Configuration {
            var environment: [String: String] = [:]
            environment["DOKKU_DAEMON_JOURNAL"] = setting
            return Configuration(environment: environment)
        }
        func wants(_ setting: String?, _ stream: String?) -> Bool {
            var environment: [String: String] = [:]
            environment["JOURNAL_STREAM"] = stream
            return configuration(setting).journal.isWanted(environment)
        }
        #expect(wants(nil, stream))
        #expect(!wants(nil, nil))
        #expect(wants("auto", stream))
        #expect(!wants("no", stream))
        #expect(wants("yes", nil))
        #expect(
            configuration("maybe").faults == [
                #"DOKKU_DAEMON_JOURNAL is "maybe", but must be yes, no or auto"#
            ])
    }
}
