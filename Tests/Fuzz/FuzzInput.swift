// What the fuzzers share: the fuzzer's bytes taken apart, the same input in chunks, and a check that stops the run.

@testable import DokkuDaemon
@testable import DokkuProtocol

/// The first bytes decide how the others are cut.
struct FuzzInput {
    /// How the parts are tested, and where their chunks end.
    let choices: [UInt8]
    let content: [UInt8]

    init(_ bytes: [UInt8], choices count: Int = 8) {
        choices = Array(bytes.prefix(count)) + [UInt8](repeating: 0, count: max(0, count - bytes.count))
        content = Array(bytes.dropFirst(count))
    }

    /// The content in order, in chunks as long as the choices say by turns: a few bytes, none now and then, or many.
    var chunks: [ArraySlice<UInt8>] {
        var chunks: [ArraySlice<UInt8>] = []
        var start = 0
        var turn = 0
        while start < content.count {
            let choice = Int(choices[turn % choices.count])
            let length = (choice < 240 ? choice % 16 : (choice - 239) * 512) + (turn % 3 == 0 ? 1 : 0)
            let end = min(content.count, start + length)
            chunks.append(content[start..<end])
            start = end
            turn += 1
        }
        return chunks
    }
}

/// What must not be.
struct Finding: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) { self.description = description }
}

func require(_ condition: Bool, _ message: @autoclosure () -> String) throws(Finding) {
    if !condition { throw Finding(message()) }
}

extension ArgumentList {
    mutating func add(_ word: [UInt8]) {
        append(word)
        endWord()
    }
}
