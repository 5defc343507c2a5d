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

    @Test func standardErrorIsTheJournalsWhereTheVariableMeansThatVeryFile() {
        #expect(Console.isJournal(["JOURNAL_STREAM": stream]))
        #expect(!Console.isJournal([:]))
        #expect(!Console.isJournal(["JOURNAL_STREAM": "1:1"]), "inherited from somebody whose it was")
        #expect(!Console.isJournal(["INVOCATION_ID": "0123"]))
    }

    @Test func entriesGoWhereTheyAreWanted() throws {
        func wants(_ setting: String?, _ stream: String?) throws -> Bool {
            var environment: [String: String] = [:]
            environment["DOKKU_DAEMON_JOURNAL"] = setting
            environment["JOURNAL_STREAM"] = stream
            return try Configuration(environment: environment).journal.isWanted(environment)
        }
        #expect(try wants(nil, stream))
        #expect(try !wants(nil, nil))
        #expect(try wants("auto", stream))
        #expect(try !wants("no", stream))
        #expect(try wants("yes", nil))
        let failure = #expect(throws: ConfigurationFailure.self) { try wants("maybe", nil) }
        #expect(failure?.description.contains("DOKKU_DAEMON_JOURNAL") == true)
    }
}
