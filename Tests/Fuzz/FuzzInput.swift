// What the fuzzers share: the fuzzer's bytes taken apart, the same input in chunks, and a check that stops the run.

/// The first bytes decide how the others are cut.
struct FuzzInput {
    /// How the parts are tested, and where their chunks end.
    let choices: [UInt8]
    let content: [UInt8]

    init(_ data: UnsafePointer<UInt8>?, _ size: Int, choices count: Int = 8) {
        let bytes = Array(UnsafeBufferPointer(start: data, count: size))
        choices = Array(bytes.prefix(count)) + [UInt8](repeating: 0, count: max(0, count - size))
        content = Array(bytes.dropFirst(count))
    }

    /// The content in order, in chunks as long as the choices say by turns; an empty one now and then.
    var chunks: [ArraySlice<UInt8>] {
        var chunks: [ArraySlice<UInt8>] = []
        var start = 0
        var turn = 0
        while start < content.count {
            let end = min(
                content.count, start + Int(choices[turn % choices.count] % 16) + (turn % 3 == 0 ? 1 : 0))
            chunks.append(content[start..<end])
            start = end
            turn += 1
        }
        return chunks
    }
}

/// In every build, unlike `assert`.
func require(_ condition: Bool, _ message: @autoclosure () -> String) {
    if !condition { fatalError(message()) }
}
