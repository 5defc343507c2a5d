// Plants a secret wherever dokku's commands take one, and looks for it in what is written down. A seed repeats a run.
import Testing

@testable import DokkuDaemon
@testable import DokkuProtocol

@Suite struct PlantedSecretTests {
    /// Harmless filling: it may make the title longer than there is room for.
    private func word(_ generator: inout SeededGenerator) -> String {
        let words = ["app", "web", "my-app.1", "x", "--flag", String(repeating: "long", count: 100)]
        return words.randomElement(using: &generator) ?? "x"
    }

    private func secret(_ generator: inout SeededGenerator, for place: String) -> String {
        // Parts of it count as well, so it has one that is long enough to be no accident on both sides of each.
        var separators = ["", "@", ":", "/", "?", "#", "%", "\"", "'", "\\", "é", " ", "://", "$(", "="]
        // A pair is what it looks like.
        if place.contains("config:set"), place.hasSuffix(" §") { separators.removeLast() }
        let half = { (generator: inout SeededGenerator) in
            "s3" + String(UInt64.random(in: 1 << 40...UInt64.max, using: &generator), radix: 36)
        }
        return half(&generator) + (separators.randomElement(using: &generator) ?? "") + half(&generator)
    }

    /// The words of a place, filled in.
    private func words(_ place: String, _ secret: String, _ generator: inout SeededGenerator) -> [String] {
        SecretPlaces.words(of: place).map { filled in
            var text = ""
            for character in filled {
                switch character {
                case "§": text += secret
                case "A": text += word(&generator)
                default: text.append(character)
                }
            }
            return text
        }
    }

    private func traces(of secret: String, in text: String) -> Bool {
        secret.components(atLeast: 8).contains { text.contains($0) }
    }

    @Test(arguments: 0..<SecretPlaces.all.count)
    func `a planted secret is found nowhere`(place: Int) throws {
        for seed in 0..<150 {
            var generator = SeededGenerator(state: UInt64(place * 1000 + seed))
            let secret = secret(&generator, for: SecretPlaces.all[place])
            var words = words(SecretPlaces.all[place], secret, &generator)
            if seed % 3 == 0 { words.insert("--quiet", at: 0) }
            let arguments = ArgumentList(words)
            let description = Redaction.describe(arguments, isUnderstood: true)
            #expect(!traces(of: secret, in: description), "\(words)")
            #expect(!traces(of: secret, in: Redaction.describe(arguments, isUnderstood: false)), "\(words)")
            // An output that repeats the arguments.
            if let invocation = Invocation(arguments) {
                #expect(!Redaction.mayLogOutput(of: invocation), "\(words)")
            }
        }
    }

    /// The other side: what is no secret does not make everything invisible.
    @Test(arguments: [
        "apps:create A", "domains:add A A", "--app app ps:stop", "checks:set A wait-to-retire 60",
    ])
    func `a line without a planted secret stays`(place: String) throws {
        var generator = SeededGenerator(state: 1)
        let arguments = ArgumentList(words(place, "", &generator))
        #expect(!Redaction.describe(arguments, isUnderstood: true).contains(Redaction.hidden))
        #expect(Redaction.mayLogOutput(of: try #require(Invocation(arguments))))
    }
}

extension String {
    /// The runs of letters and digits of at least `count`.
    fileprivate func components(atLeast count: Int) -> [String] {
        split { !($0.isASCII && ($0.isLetter || $0.isNumber)) }.map(String.init).filter { $0.count >= count }
    }
}
