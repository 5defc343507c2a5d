// Reads a line of JSON as a request. A fault names the key and what is expected there, never the value, which may
// be a secret.

public enum JSONRequestDecoder {
    public static func decode(_ line: ArraySlice<UInt8>) throws(JSONRequest.Fault) -> JSONRequest {
        if let refusal = JSONShape.fault(of: line.span) {
            var fault = JSONSalvage.fault(of: line.span)
            fault.refusal = refusal
            throw fault
        }
        let document: JSONDocument
        do {
            document = try JSONDocument(line.span)
        } catch {
            // There is no parsed document, so the id and the length of the input are searched for in the text.
            var fault = JSONSalvage.fault(of: line.span)
            fault.refusal = .invalid(
                error.isRepeatedKey ? "A key occurs twice" : "Invalid JSON near byte \(error.position)")
            throw fault
        }
        return try document.withValue { value throws(JSONRequest.Fault) in try request(of: value) }
    }

    private static func request(of value: JSONValue) throws(JSONRequest.Fault) -> JSONRequest {
        guard value.isObject else { throw JSONRequest.Fault(refusal: .invalid("A request is a JSON object")) }
        let members = Members(of: value)
        var request = JSONRequest()
        do throws(Refusal) {
            if let text = members.unknown { throw Refusal.invalid(text) }
            if let id = members.id { request.id = try expect("id", RequestID.expected, RequestID(id)) }
            request.isStreamed = try flag("stream", members.stream)
            request.input = try input(members)
            try readCommand(members.command, into: &request.command)
            if let encoding = members.encoding {
                request.encoding = try expect("encoding", "\"utf-8\" or \"base64\"", choice(encoding))
            }
            request.stripsAnsi = try flag("strip_ansi", members.stripAnsi)
            if request.stripsAnsi, request.encoding == .base64 {
                throw Refusal.invalid("strip_ansi and base64 exclude each other")
            }
            if let timeout = members.timeout {
                request.timeout = try expect("timeout", "a positive number of seconds", duration(timeout))
            }
            if let disconnect = members.onDisconnect {
                let choice: OnDisconnect = try expect(
                    "on_disconnect", "\"finish\" or \"cancel\"", choice(disconnect))
                request.endsWithClient = choice == .cancel
            }
            request.isDetached = try flag("detach", members.detach)
            if request.isDetached, let key = members.keyOfAnswer {
                throw Refusal.invalid("detach and \(key) exclude each other")
            }
            try readDescriptors(members, into: &request)
        } catch {
            throw members.fault(error)
        }
        return request
    }

    private enum OnDisconnect: String { case finish, cancel }

    private static func expect<Value>(
        _ key: String, _ expectation: String, _ value: Value?
    ) throws(Refusal) -> Value {
        guard let value else { throw .invalid("\(key) must be \(expectation)") }
        return value
    }

    private static func flag(_ key: String, _ value: JSONValue?) throws(Refusal) -> Bool {
        guard let value else { return false }
        return try expect(key, "true or false", value.bool)
    }

    private static func choice<Choice: RawRepresentable<String>>(_ value: JSONValue) -> Choice? {
        value.string.flatMap { Choice(rawValue: String(decoding: $0, as: UTF8.self)) }
    }

    private static func input(_ members: Members) throws(Refusal) -> JSONRequest.Input? {
        if try flag("stdin_chunks", members.stdinChunks) {
            if members.stdin == nil, members.stdinLength == nil { return .chunks }
            throw .invalid("stdin_chunks excludes stdin and stdin_length")
        }
        switch (members.stdin, members.stdinLength) {
        case (nil, nil): return nil
        case (.some, .some): throw .invalid("stdin and stdin_length exclude each other")
        case (.some(let text), nil): return .bytes(Array(try expect("stdin", "a string", text.string)))
        case (nil, .some(let length)):
            let count = try expect("stdin_length", "a number of bytes", JSONRequest.Following.count(length))
            return .following(count: count)
        }
    }

    private static func readDescriptors(
        _ members: Members, into request: inout JSONRequest
    ) throws(Refusal) {
        request.handsOverDescriptors = try flag("descriptors", members.descriptors)
        if let terminal = members.terminal {
            guard request.handsOverDescriptors else { throw .invalid("terminal needs descriptors") }
            let name = terminal.string.flatMap { JSONRequest.isTerminal($0) ? $0 : nil }
            request.terminal = String(
                decoding: try expect("terminal", "a name of letters, digits, +, -, . and _", name),
                as: UTF8.self)
        }
        guard request.handsOverDescriptors else { return }
        if request.isDetached { throw .invalid("descriptors and detach exclude each other") }
        switch request.input {
        case nil, .chunks: break
        case .bytes: throw .invalid("descriptors and stdin exclude each other")
        case .following: throw .invalid("descriptors and stdin_length exclude each other")
        }
    }

    /// Clamped to what a clock can hold: a timeout of centuries is not an error.
    private static func duration(_ value: JSONValue) -> Duration? {
        guard let seconds = value.number, seconds > 0 else { return nil }
        return .seconds(min(max(seconds, 0.001), 1e9))
    }

    private static func readCommand(_ value: JSONValue?, into words: inout ArgumentList) throws(Refusal) {
        let expectation = "an array of strings, or a string"
        let value = try expect("command", expectation, value)
        if let line = value.string {
            do {
                _ = try ShellWords.split(Array(line)[...], into: &words, allowsRedirection: false)
            } catch {
                throw .invalid("command: \(error.refusal.text)")
            }
        } else {
            for index in 0..<(try expect("command", expectation, value.elementCount)) {
                let word = try expect("command", expectation, value[index]?.string)
                guard !word.contains(0) else { throw .invalid("command: NUL in a word") }
                words.append(word)
                words.endWord()
            }
        }
        guard !words.isEmpty else { throw .invalid("command must not be empty") }
    }
}

/// The members of a request, unchecked.
private struct Members {
    var id: JSONValue?
    var command: JSONValue?
    var stream: JSONValue?
    var stdin: JSONValue?
    var stdinLength: JSONValue?
    var stdinChunks: JSONValue?
    var encoding: JSONValue?
    var stripAnsi: JSONValue?
    var timeout: JSONValue?
    var onDisconnect: JSONValue?
    var detach: JSONValue?
    var descriptors: JSONValue?
    var terminal: JSONValue?
    /// The message about the first key that is none of these.
    var unknown: String?
    /// An unknown key begins with `stdin`: it may be a mistyped `stdin_length`.
    var mayAnnounceInput = false

    init(of object: JSONValue) {
        object.forEachMember { key, value in
            switch key {
            case "id": id = value
            case "command": command = value
            case "stream": stream = value
            case "stdin": stdin = value
            case "stdin_length": stdinLength = value
            case "stdin_chunks": stdinChunks = value
            case "encoding": encoding = value
            case "strip_ansi": stripAnsi = value
            case "timeout": timeout = value
            case "on_disconnect": onDisconnect = value
            case "detach": detach = value
            case "descriptors": descriptors = value
            case "terminal": terminal = value
            default:
                if unknown == nil { unknown = Self.describe(unknown: key) }
                if key.starts(with: "stdin".utf8) { mayAnnounceInput = true }
            }
        }
    }

    /// A key that says how to answer when the command has ended. A flag that is false asks for nothing.
    var keyOfAnswer: StaticString? {
        if stream?.bool == true { return "stream" }
        if encoding != nil { return "encoding" }
        if stripAnsi?.bool == true { return "strip_ansi" }
        return onDisconnect == nil ? nil : "on_disconnect"
    }

    /// A fault with everything that can be read despite the error.
    func fault(_ refusal: Refusal) -> JSONRequest.Fault {
        JSONRequest.Fault(
            refusal: refusal, id: id.flatMap(RequestID.init), isStreamed: stream?.bool ?? false,
            following: mayAnnounceInput ? .unknown : JSONRequest.Following(length: stdinLength))
    }

    /// Names a key that looks mistyped. Any other text may be a value in the wrong place.
    private static func describe(unknown key: UnsafeBufferPointer<UInt8>) -> String {
        let isName = key.allSatisfy { byte in
            (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte) || byte == UInt8(ascii: "_")
        }
        guard isName, (1...24).contains(key.count) else { return "Unknown key" }
        return "Unknown key \(String(decoding: key, as: UTF8.self))"
    }
}

private func ~= (name: StaticString, key: UnsafeBufferPointer<UInt8>) -> Bool {
    name.withUTF8Buffer { $0.elementsEqual(key) }
}
