// Searches a line that is not valid JSON for what its answer needs: the id, whether events were asked for, and the
// length of the input that follows.

enum JSONSalvage {
    /// A fault without its text. If a key occurs more than once, its last value counts. Takes linear time and
    /// allocates nothing: the keys are at the top level, so nesting is only counted.
    static func fault(of line: Span<UInt8>) -> JSONRequest.Fault {
        var fault = JSONRequest.Fault(refusal: .invalid("Invalid JSON"))
        var found: (id: Range<Int>?, stream: Range<Int>?, length: Range<Int>?)
        forEachMember(of: line) { key, value in
            switch key.count {
            case 4 where key.isText("\"id\""): found.id = value
            case 8 where key.isText("\"stream\""): found.stream = value
            case 14 where key.isText("\"stdin_length\""): found.length = value
            default: break
            }
        }
        read(line, found.id) { fault.id = RequestID($0) }
        read(line, found.stream) { fault.isStreamed = $0.bool ?? false }
        fault.following = announcesInput(line) ? .unknown : .nothing
        read(line, found.length) { fault.following = JSONRequest.Following(length: $0) }
        return fault
    }

    /// Whether the line names an input's length anywhere, also within strings: in a broken line a quote may be
    /// missing.
    private static func announcesInput(_ line: Span<UInt8>) -> Bool {
        let name: StaticString = "stdin_l"
        var index = 0
        while index + name.utf8CodeUnitCount <= line.count {
            if line.extracting(index..<index + name.utf8CodeUnitCount).isText(name) { return true }
            index += 1
        }
        return false
    }

    private static func read(_ line: Span<UInt8>, _ range: Range<Int>?, _ body: (JSONValue) -> Void) {
        guard let range, let value = try? JSONDocument(line.extracting(range), allowsScalars: true) else {
            return
        }
        value.withValue(body)
    }

    /// Calls `body` with each key of the outermost object, quotes included, and the range of its value, if that is
    /// a string or a bare word.
    private static func forEachMember(of line: Span<UInt8>, _ body: (Span<UInt8>, Range<Int>) -> Void) {
        var index = 0
        var depth = 0
        /// The last string that may be a key, and whether its colon was seen.
        var key: Range<Int>?
        var hasColon = false
        while index < line.count {
            let start = index
            index += 1
            switch line[start] {
            case UInt8(ascii: "{"), UInt8(ascii: "["):
                depth += 1
                key = nil
            case UInt8(ascii: "}"), UInt8(ascii: "]"):
                depth -= 1
                key = nil
                if depth <= 0 { return }
            case UInt8(ascii: ","): key = nil
            case UInt8(ascii: ":"): hasColon = true
            case UInt8(ascii: " "), UInt8(ascii: "\t"), UInt8(ascii: "\r"), UInt8(ascii: "\n"): break
            default:
                let isString = line[start] == UInt8(ascii: "\"")
                index = isString ? endOfString(line, from: index) : endOfWord(line, from: index)
                guard depth == 1 else { break }
                if let name = key, hasColon {
                    body(line.extracting(name), start..<index)
                    key = nil
                } else {
                    key = isString ? start..<index : nil
                    hasColon = false
                }
            }
        }
    }

    /// The index after the closing quote of a string whose opening quote is before `start`; the line's end if no
    /// quote closes it.
    private static func endOfString(_ line: Span<UInt8>, from start: Int) -> Int {
        var index = start
        while index < line.count, line[index] != UInt8(ascii: "\"") {
            index += line[index] == UInt8(ascii: "\\") ? 2 : 1
        }
        return min(index + 1, line.count)
    }

    private static func endOfWord(_ line: Span<UInt8>, from start: Int) -> Int {
        var index = start
        while index < line.count {
            switch line[index] {
            case UInt8(ascii: "{"), UInt8(ascii: "["), UInt8(ascii: "}"), UInt8(ascii: "]"),
                UInt8(ascii: ","),
                UInt8(ascii: ":"), UInt8(ascii: " "), UInt8(ascii: "\t"), UInt8(ascii: "\r"),
                UInt8(ascii: "\n"),
                UInt8(ascii: "\""):
                return index
            default: index += 1
            }
        }
        return index
    }
}

extension Span<UInt8> {
    fileprivate func isText(_ text: StaticString) -> Bool {
        withUnsafeBufferPointer { bytes in text.withUTF8Buffer { bytes.elementsEqual($0) } }
    }
}
