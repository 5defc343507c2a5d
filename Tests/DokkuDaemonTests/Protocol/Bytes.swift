// What the suites of the protocol share: bytes from text, and one input cut in every possible way.

/// The UTF-8 bytes of `text`.
func bytes(_ text: String) -> [UInt8] { Array(text.utf8) }

/// For people: the bytes as text, what is not UTF-8 replaced.
func text(_ bytes: some Sequence<UInt8>) -> String { String(decoding: Array(bytes), as: UTF8.self) }

/// `input` whole, in single bytes, and cut in two and in three at every place.
func cuts(_ input: [UInt8]) -> [[ArraySlice<UInt8>]] {
    var result: [[ArraySlice<UInt8>]] = [[input[...]], input.indices.map { input[$0...$0] }]
    for first in 0...input.count {
        result.append([input[..<first], input[first...]])
        for second in stride(from: first, through: input.count, by: input.count > 60 ? 7 : 1) {
            result.append([input[..<first], input[first..<second], input[second...]])
        }
    }
    return result
}
