// What is written down of a command: no secret that was planted in it, in a line without control characters, whatever
// the secret looks like; and no more than fits, whatever the words are. The first two bytes choose the place.

@testable import DokkuDaemon
@testable import DokkuProtocol

func fuzzRedaction(_ bytes: [UInt8]) throws {
    let input = FuzzInput(bytes, choices: 2)
    let number = Int(input.choices[0]) << 8 | Int(input.choices[1])
    let content = input.content.filter { $0 != 0 }
    try checkPlanted(SecretPlaces.all[number % SecretPlaces.all.count], separator: content)

    let words = content.split(separator: 0x0A, omittingEmptySubsequences: false).map(Array.init)
    var arguments = ArgumentList()
    for word in words { arguments.add(word) }
    for isUnderstood in [true, false] { _ = try line(arguments, isUnderstood) }
}

/// The secret is made of two words that are found nowhere else, and of the fuzzer's bytes between them.
private func checkPlanted(_ place: String, separator: [UInt8]) throws {
    let halves = ["s3cr3tl3ft", "s3cr3tr1ght"].map { Array($0.utf8) }
    // What has a `=` in this place is a pair, whose first half may be seen.
    let isPair = place.contains("config:set") && place.hasSuffix(" §")
    let secret = halves[0] + separator.filter { !isPair || $0 != UInt8(ascii: "=") } + halves[1]
    var arguments = ArgumentList()
    for word in SecretPlaces.words(of: place) {
        var filled: [UInt8] = []
        for character in word {
            switch character {
            case "§": filled += secret
            case "A": filled += "app".utf8
            default: filled += String(character).utf8
            }
        }
        arguments.add(filled)
    }
    for isUnderstood in [true, false] {
        let text = try line(arguments, isUnderstood)
        try require(!text.contains("s3cr3t"), "\(place) with \(separator): \(text)")
    }
    if let invocation = Invocation(arguments) {
        try require(!Redaction.mayLogOutput(of: invocation), "the output of \(place) with \(separator)")
    }
}

private func line(_ arguments: ArgumentList, _ isUnderstood: Bool) throws -> String {
    let text = Redaction.describe(arguments, isUnderstood: isUnderstood)
    try require(text.utf8.count <= 2048, "\(text.utf8.count) bytes")
    try require(!text.unicodeScalars.contains(where: isControl), text.debugDescription)
    return text
}
