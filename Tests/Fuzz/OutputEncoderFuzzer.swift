// The whole way of a command's output, on one stream or two: the same bytes however it is cut, valid JSON to jansson,
// and the text that a reference which sees everything at once makes of it. Base64 likewise.
import CJansson

@testable import DokkuDaemon
@testable import DokkuProtocol

private func encode(_ chunks: [MergedOutput.Chunk], stripsAnsi: Bool, trims: Bool) -> [UInt8] {
    var encoder = OutputEncoder(stripsAnsi: stripsAnsi, trimsTrailingNewlines: trims)
    var text: [UInt8] = []
    for chunk in chunks {
        let stream = chunk.isError ? OutputStream.standardError : .standardOutput
        while encoder.writeRun(before: { $0.encode(chunk.bytes.span, from: stream, into: &$1) }, into: &text)
        {}
        encoder.encode(chunk.bytes.span, from: stream, into: &text)
    }
    while encoder.writeRun(before: { $0.finish(into: &$1) }, into: &text) {}
    encoder.finish(into: &text)
    return text
}

private func check(_ input: FuzzInput, stripsAnsi: Bool, trims: Bool) throws {
    // Which stream a chunk comes on, by turns.
    let streams = input.choices[6]
    let chunks = input.chunks.enumerated().map { number, chunk in
        MergedOutput.Chunk(isError: streams >> UInt8(number % 8) & 1 == 1, bytes: Array(chunk))
    }
    let cut = encode(chunks, stripsAnsi: stripsAnsi, trims: trims)
    let bytewise = chunks.flatMap { chunk in
        chunk.bytes.map { MergedOutput.Chunk(isError: chunk.isError, bytes: [$0]) }
    }
    let single = encode(bytewise, stripsAnsi: stripsAnsi, trims: trims)
    try require(single == cut, "\(single) became \(cut)")

    let text = Array(MergedOutput.text(chunks, stripsAnsi: stripsAnsi, trims: trims).utf8)
    let document = Array("[\"".utf8) + cut + Array("\"]".utf8)
    let parsed = document.withUnsafeBytes { json_loadb($0.baseAddress, $0.count, Int(JSON_ALLOW_NUL), nil) }
    guard let parsed, let value = json_array_get(parsed, 0), let start = json_string_value(value) else {
        throw Finding("not JSON: \(document)")
    }
    let decoded = UnsafeRawBufferPointer(start: start, count: json_string_length(value))
    try require(decoded.elementsEqual(text), "\(Array(decoded)) instead of \(text)")
    json_decref(parsed)
}

private func decodeBase64(_ text: [UInt8]) throws -> [UInt8] {
    let digits = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
    var bits = 0
    var count = 0
    var result: [UInt8] = []
    for byte in text where byte != UInt8(ascii: "=") {
        guard let digit = digits.firstIndex(of: byte) else { throw Finding("\(byte) is no digit") }
        bits = bits << 6 | digit
        count += 6
        if count >= 8 {
            count -= 8
            result.append(UInt8(truncatingIfNeeded: bits >> count))
            bits &= 1 << count - 1
        }
    }
    try require(text.count % 4 == 0 && bits == 0, "padding of \(text)")
    return result
}

func fuzzOutputEncoder(_ bytes: [UInt8]) throws {
    let input = FuzzInput(bytes)
    try check(input, stripsAnsi: input.choices[7] & 1 == 0, trims: input.choices[7] & 2 == 0)
    var encoder = Base64Encoder()
    var text: [UInt8] = []
    for chunk in input.chunks { encoder.encode(chunk.span, into: &text) }
    encoder.finish(into: &text)
    try require(try decodeBase64(text) == input.content, "base64 of \(input.content)")
}
