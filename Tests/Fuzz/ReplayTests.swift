// What fuzzing has gathered, looked at once more: inputs that reach as many branches as it has found, and those that
// once found a fault.
import Foundation
import TestSupport
import Testing

@Suite struct ReplayTests {
    private static let corpus = URL(fileURLWithPath: Repository.path("Tests/Fuzz/corpus"))

    @Test(arguments: Fuzzer.all) func `the gathered inputs bring no finding`(fuzzer: Fuzzer) throws {
        let files = try FileManager.default.contentsOfDirectory(
            at: Self.corpus.appendingPathComponent("\(fuzzer)"), includingPropertiesForKeys: nil)
        #expect(!files.isEmpty)
        for file in files {
            do {
                try fuzzer.run(Array(try Data(contentsOf: file)))
            } catch {
                Issue.record("\(file.path): \(error)")
            }
        }
    }
}
