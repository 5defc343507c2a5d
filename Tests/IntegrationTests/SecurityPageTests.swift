// docs/security.md names the tests that hold its promises: each of them must be there.
import Foundation
import TestSupport
import Testing

@Suite struct SecurityPageTests {
    /// The text of every file below Tests with that suffix, by its name without it; of two that have one name, of both.
    private func sources(_ suffix: String) -> [String: String] {
        let folder = URL(fileURLWithPath: Repository.path("Tests"))
        let files = FileManager.default.enumerator(at: folder, includingPropertiesForKeys: nil)
        var texts: [String: String] = [:]
        for case let file as URL in files ?? .init() where file.pathExtension == suffix {
            texts[file.deletingPathExtension().lastPathComponent, default: ""] += contents(file.path).text
        }
        return texts
    }

    @Test func `each test that a promise names is there`() throws {
        let page = contents(Repository.path("docs/security.md")).text
        let swift = sources("swift")
        let python = sources("py")
        var count = 0
        for match in page.matches(of: /`([A-Z]\w+Tests)(?:: ([^`]+))?`/) {
            let suite = try #require(swift[String(match.1)], "no suite \(match.1)")
            if let test = match.2 { #expect(suite.contains("func `\(test)`("), "no test \(match.0)") }
            count += 1
        }
        for match in page.matches(of: /`(\w+)\.py: (\w+)`/) {
            let suite = try #require(python[String(match.1)], "no file \(match.1)")
            #expect(suite.contains("def \(match.2)("), "no test \(match.0)")
            count += 1
        }
        #expect(count > 40)
    }
}
