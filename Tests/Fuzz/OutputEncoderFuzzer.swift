// The whole way of a command's output: the same bytes however it is cut, valid JSON to jansson, and the text that
// a reference which sees everything at once makes of it. Base64 likewise.

import CEpollShim

/// Escape sequences by looking ahead, from where each begins.
private func withoutSequences(_ bytes: [UInt8]) -> [UInt8] {
    var result: [UInt8] = []
    var rest = bytes[...]
    while let byte = rest.popFirst() {
        guard byte == 0x1B else {
            result.append(byte)
            continue
        }
        guard let kind = rest.first else { break }
        switch kind {
        case 0x5B:
            rest = rest.dropFirst().drop { (0x30...0x3F).contains($0) }.drop { (0x20...0x2F).contains($0) }
            if let final = rest.first, (0x40...0x7E).contains(final) { rest.removeFirst() }
        case 0x50, 0x58, 0x5D, 0x5E, 0x5F:
            rest = rest.dropFirst().drop { $0 != 0x1B && $0 != 0x0A && !(kind == 0x5D && $0 == 0x07) }
            if rest.first == 0x07 { rest.removeFirst() }
        default:
            rest = rest.drop { (0x20...0x2F).contains($0) }
            if let final = rest.first, final >= 0x30, final <= 0x7E, final != 0x1B {
                // `ESC (` may be followed by a final byte that would begin another kind right behind ESC.
                rest.removeFirst()
            }
        }
    }
    return result
}

private func check(_ input: FuzzInput, stripsAnsi: Bool, trims: Bool) {
    var encoder = OutputEncoder(stripsAnsi: stripsAnsi, trimsTrailingNewlines: trims)
    var whole = Array("[\"".utf8)
    encoder.encode(input.content.span, into: &whole)
    whole.removeLast(encoder.finish(into: &whole))
    var cut = Array("[\"".utf8)
    for chunk in input.chunks { encoder.encode(chunk.span, into: &cut) }
    cut.removeLast(encoder.finish(into: &cut))
    require(whole == cut, "\(whole) became \(cut)")

    var expected = stripsAnsi ? withoutSequences(input.content) : input.content
    while trims, expected.last == 0x0A { expected.removeLast() }
    let text = Array(String(decoding: expected, as: UTF8.self).utf8)
    let document = whole + Array("\"]".utf8)
    let parsed = document.withUnsafeBytes { json_loadb($0.baseAddress, $0.count, Int(JSON_ALLOW_NUL), nil) }
    guard let parsed, let value = json_array_get(parsed, 0), let start = json_string_value(value) else {
        fatalError("not JSON: \(document)")
    }
    let decoded = UnsafeRawBufferPointer(start: start, count: json_string_length(value))
    require(decoded.elementsEqual(text), "\(Array(decoded)) instead of \(text)")
    json_decref(parsed)
}

private func decodeBase64(_ text: [UInt8]) -> [UInt8] {
    let digits = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
    var bits = 0
    var count = 0
    var result: [UInt8] = []
    for byte in text where byte != UInt8(ascii: "=") {
        guard let digit = digits.firstIndex(of: byte) else { fatalError("\(byte) is no digit") }
        bits = bits << 6 | digit
        count += 6
        if count >= 8 {
            count -= 8
            result.append(UInt8(truncatingIfNeeded: bits >> count))
            bits &= 1 << count - 1
        }
    }
    require(text.count % 4 == 0 && bits == 0, "padding of \(text)")
    return result
}

@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ data: UnsafePointer<UInt8>?, _ size: Int) -> CInt {
    let input = FuzzInput(data, size)
    check(input, stripsAnsi: input.choices[7] & 1 == 0, trims: input.choices[7] & 2 == 0)
    var encoder = Base64Encoder()
    var text: [UInt8] = []
    for chunk in input.chunks { encoder.encode(chunk.span, into: &text) }
    encoder.finish(into: &text)
    require(decodeBase64(text) == input.content, "base64 of \(input.content)")
    return 0
}
