// Who wrote a name a letter or two off is told which one it may have been, and nobody is told nonsense.
import Testing

@Suite struct SuggestionTests {
    private static let names = [
        "apps:list", "apps:lock", "apps:create", "config:set", "config:show", "url", "urls", "run",
        "ps:scale",
        "daemon:queue",
    ]

    @Test(arguments: [
        ("apps:lst", "apps:list"), ("apps:lsit", "apps:list"), ("app:list", "apps:list"),
        ("Apps:list", "apps:list"),
        ("apps:craete", "apps:create"), ("config:sett", "config:set"), ("daemon:quue", "daemon:queue"),
        ("rum", "run"), ("ulr", "url"),
    ])
    func `a name that is near`(word: String, name: String) {
        #expect(Suggestion.nearest(to: word, among: Self.names) == name)
    }

    @Test(arguments: ["", "x", "ls", "frobnicate", "apps", "postgres:list", "\u{1B}[2J"])
    func `nothing is near`(word: String) {
        #expect(Suggestion.nearest(to: word, among: Self.names) == nil)
    }

    @Test func `of several the nearest, and then the first`() {
        #expect(Suggestion.nearest(to: "abcde", among: ["abcxy", "abcdx", "abcda"]) == "abcda")
    }

    @Test(arguments: [
        ("", "", 0), ("", "abc", 3), ("abc", "abc", 0), ("abc", "acb", 1), ("abc", "ab", 1),
        ("abc", "abcd", 1),
        // Exchanged letters are not touched again, so these are three steps and not two.
        ("ca", "abc", 3), ("kitten", "sitting", 3),
    ])
    func distance(first: String, second: String, count: Int) {
        let (one, two) = (Array(first.unicodeScalars), Array(second.unicodeScalars))
        #expect(Suggestion.distance(one, two) == count && Suggestion.distance(two, one) == count)
    }
}
