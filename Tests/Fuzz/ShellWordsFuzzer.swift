// ShellWords: the same words and failures as a state machine that goes byte by byte.

@testable import DokkuDaemon
@testable import DokkuProtocol

private enum Quote { case none, single, double }

private func reference(_ line: [UInt8], quoting: Bool) -> Result<
    [(word: [UInt8], isBare: Bool)], ShellWords.Failure
> {
    var words: [(word: [UInt8], isBare: Bool)] = []
    var word: [UInt8]?
    var isBare = true
    var quote = Quote.none
    var isEscaped = false
    for byte in line {
        let character = Character(Unicode.Scalar(byte))
        if byte == 0 { return .failure(.nulByte) }
        if isEscaped {
            isEscaped = false
            if quote == .double, !"\"\\$`\n".contains(character) { word?.append(0x5C) }
            if character != "\n" { word?.append(byte) }
            continue
        }
        switch (quoting ? quote : .none, character) {
        case (.none, " "), (.none, "\t"):
            if let complete = word { words.append((complete, isBare)) }
            (word, isBare) = (nil, true)
        case (.none, "\n") where quoting: return .failure(.unquotedNewline)
        case (.none, "'") where quoting: (word, isBare, quote) = (word ?? [], false, .single)
        case (.none, "\"") where quoting: (word, isBare, quote) = (word ?? [], false, .double)
        case (.none, "\\") where quoting: (word, isBare, isEscaped) = (word ?? [], false, true)
        case (.single, "'"), (.double, "\""): quote = .none
        case (.double, "\\"): isEscaped = true
        default: word = (word ?? []) + [byte]
        }
    }
    switch quote {
    case .single: return .failure(.unbalancedSingleQuote)
    case .double: return .failure(.unbalancedDoubleQuote)
    case .none: break
    }
    if isEscaped { return .failure(.trailingBackslash) }
    if let word { words.append((word, isBare)) }
    return .success(words)
}

func fuzzShellWords(_ bytes: [UInt8]) throws {
    let input = FuzzInput(bytes, choices: 1)
    let quoting = input.choices[0] & 1 == 0
    let allowsRedirection = input.choices[0] & 2 == 0
    var words: ArgumentList = ["left", "over"]
    var expected = reference(input.content, quoting: quoting)
    var expectedRedirection: Redirection?
    if allowsRedirection, case .success(let all) = expected, all.count >= 2 {
        let (sign, path) = (all[all.count - 2], all[all.count - 1].word)
        if sign.isBare, sign.word == [0x3C] || sign.word == [0x3E] {
            expected = path.first == 0x2F ? .success(all.dropLast(2)) : .failure(.relativePath)
            expectedRedirection = Redirection(direction: sign.word == [0x3C] ? .input : .output, path: path)
        }
    }
    let split = quoting ? ShellWords.split : ShellWords.splitAtBlanks
    let redirection: Redirection?
    do throws(ShellWords.Failure) {
        redirection = try split(input.content[...], &words, allowsRedirection)
    } catch {
        guard case .failure(let failure) = expected, failure == error else {
            throw Finding("\(error), not \(expected)")
        }
        var whole = words
        whole.removeLast(0)
        return try require(whole == words, "half a word is left")
    }
    guard case .success(let all) = expected else { throw Finding("\(expected) did not happen") }
    try require(redirection == expectedRedirection, "another redirection")
    try require((0..<words.count).map { Array(words[$0]) } == all.map(\.word), "\(words) instead of \(all)")
}
