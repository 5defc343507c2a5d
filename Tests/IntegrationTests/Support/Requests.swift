// Requests and expectations written as JSON is, and the answer to a streamed request as one value.
import Foundation

extension JSON: ExpressibleByNilLiteral, ExpressibleByBooleanLiteral, ExpressibleByIntegerLiteral {
    init(nilLiteral: ()) { self = .null }
    init(booleanLiteral value: Bool) { self = .bool(value) }
    init(integerLiteral value: Int) { self = .integer(value) }

    static func integer(_ value: Int) -> JSON { .number(Double(value)) }
}

extension JSON: ExpressibleByFloatLiteral, ExpressibleByStringInterpolation {
    init(floatLiteral value: Double) { self = .number(value) }
    init(stringLiteral value: String) { self = .text(value) }
}

extension JSON: ExpressibleByArrayLiteral, ExpressibleByDictionaryLiteral {
    init(arrayLiteral elements: JSON...) { self = .list(elements) }
    init(dictionaryLiteral members: (String, JSON)...) {
        self = .object(Dictionary(uniqueKeysWithValues: members))
    }
}

extension JSON: Encodable {
    func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        switch self {
        case .null: try container.encodeNil()
        case .bool(let flag): try container.encode(flag)
        // Whole numbers without a fraction: an id may have none.
        case .number(let number):
            if let whole = Int(exactly: number) {
                try container.encode(whole)
            } else {
                try container.encode(number)
            }
        case .text(let text): try container.encode(text)
        case .list(let list): try container.encode(list)
        case .object(let members): try container.encode(members)
        }
    }

    /// One line, without its LF.
    var line: String {
        get throws { String(decoding: try JSONEncoder().encode(self), as: UTF8.self) }
    }
}

/// What a streamed request was told.
struct StreamedAnswer {
    var events: [JSON]
    /// The last line.
    var end: JSON

    /// What the command wrote to `stdout` or `stderr`, from all events.
    func text(_ stream: String) -> String { events.data(stream) }

    /// The names of the events in their order, those of the same name in a row once.
    var course: [String] {
        events.compactMap { $0["event"]?.text }.reduce(into: []) { if $0.last != $1 { $0.append($1) } }
    }
}

extension TestClient {
    /// Sends a request that the schema allows.
    func send(_ request: JSON) throws { try order(request.line) }

    /// Sends a request and reads its one line.
    func ask(_ request: JSON) throws -> JSON {
        try send(request)
        return try answer()
    }

    /// Sends a request and reads its events and its last line.
    func stream(_ request: JSON) throws -> StreamedAnswer {
        try send(request)
        return try outcome()
    }

    /// The lines up to the last one of the only open request, streamed or not.
    func outcome() throws -> StreamedAnswer {
        var events: [JSON] = []
        while true {
            let line = try answer()
            if line["ok"] != nil { return StreamedAnswer(events: events, end: line) }
            events.append(line)
        }
    }
}

extension DaemonProcess {
    /// One JSON request on a connection of its own.
    func ask(_ request: JSON) throws -> JSON { try connect().ask(request) }

    func stream(_ request: JSON) throws -> StreamedAnswer { try connect().stream(request) }
}
