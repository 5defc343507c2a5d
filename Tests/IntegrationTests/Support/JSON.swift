// JSON as values, and as much of JSON Schema as the protocol's schema uses.
import Foundation
import TestSupport

enum JSON: Decodable, Hashable {
    case null
    case bool(Bool)
    case number(Double)
    case text(String)
    case list([JSON])
    case object([String: JSON])

    init(from decoder: any Decoder) throws {
        let value = try decoder.singleValueContainer()
        if value.decodeNil() {
            self = .null
        } else if let bool = try? value.decode(Bool.self) {
            self = .bool(bool)
        } else if let number = try? value.decode(Double.self) {
            self = .number(number)
        } else if let text = try? value.decode(String.self) {
            self = .text(text)
        } else if let list = try? value.decode([JSON].self) {
            self = .list(list)
        } else {
            self = .object(try value.decode([String: JSON].self))
        }
    }

    init(_ bytes: [UInt8]) throws { self = try JSONDecoder().decode(JSON.self, from: Data(bytes)) }

    subscript(key: String) -> JSON? { if case .object(let members) = self { members[key] } else { nil } }

    var text: String? { if case .text(let text) = self { text } else { nil } }
    var number: Double? { if case .number(let number) = self { number } else { nil } }
    var int: Int? { number.flatMap { Int(exactly: $0) } }
    var list: [JSON]? { if case .list(let list) = self { list } else { nil } }
    var members: [String: JSON]? { if case .object(let members) = self { members } else { nil } }
}

/// The protocol's own schema, against which every line of a JSON conversation is held.
struct Schema {
    static let ofProtocol: Schema = {
        let bytes = contents(Repository.path("docs/protocol.schema.json"))
        return Schema(root: (try? JSON(bytes)) ?? .bool(false))
    }()

    let root: JSON

    /// True where the value is a line of the protocol.
    func accepts(_ value: JSON) -> Bool {
        (root["oneOf"]?.list ?? []).filter { fits(value, $0) }.count == 1
    }

    /// True where the value is what `$defs` calls so.
    func accepts(_ value: JSON, as definition: String) -> Bool {
        guard let rule = root["$defs"]?[definition] else { return false }
        return fits(value, rule)
    }

    private func fits(_ value: JSON, _ rule: JSON) -> Bool {
        guard case .object(let keywords) = rule else { return rule == .bool(true) }
        return keywords.allSatisfy { fits(value, keyword: $0.key, $0.value, keywords) }
    }

    private func fits(_ value: JSON, keyword: String, _ rule: JSON, _ keywords: [String: JSON]) -> Bool {
        switch keyword {
        case "description", "title": true
        case "$ref": rule.text.map { accepts(value, as: String($0.dropFirst("#/$defs/".count))) } ?? false
        case "anyOf": rule.list?.contains { fits(value, $0) } ?? false
        case "not": !fits(value, rule)
        case "allOf": rule.list?.allSatisfy { fits(value, $0) } ?? false
        case "enum": rule.list?.contains(value) ?? false
        case "const": rule == value
        case "type": hasType(value, rule.text)
        case "required": (rule.list ?? []).allSatisfy { name in name.text.map { value[$0] != nil } ?? false }
        case "properties":
            (value.members ?? [:]).allSatisfy { key, member in rule[key].map { fits(member, $0) } ?? true }
        case "additionalProperties":
            (value.members ?? [:]).keys.allSatisfy { keywords["properties"]?[$0] != nil }
        case "items": (value.list ?? []).allSatisfy { fits($0, rule) }
        case "minItems": Double(value.list?.count ?? 0) >= rule.number ?? .infinity
        case "minimum": value.number.map { $0 >= rule.number ?? .infinity } ?? true
        case "maximum": value.number.map { $0 <= rule.number ?? -.infinity } ?? true
        case "pattern":
            value.text.map { $0.range(of: rule.text ?? "", options: .regularExpression) != nil } ?? true
        case "exclusiveMinimum": value.number.map { $0 > rule.number ?? .infinity } ?? true
        default: false
        }
    }

    private func hasType(_ value: JSON, _ name: String?) -> Bool {
        switch (name, value) {
        case ("null", .null), ("boolean", .bool), ("number", .number), ("string", .text), ("array", .list),
            ("object", .object):
            true
        case ("integer", .number(let number)): number == number.rounded()
        default: false
        }
    }
}

extension JSON {
    /// Which of the schema's replies a line claims to be.
    fileprivate var kindOfReply: String {
        switch self["event"] {
        case nil where self["exit_status"] != nil: "result"
        case nil where self["error"] == "interrupted": "interrupted"
        case .text("end") where self["error"] == "interrupted": "interrupted"
        case nil where self["job"] != nil: "accepted"
        case nil: self["error"] == nil ? "plainReply" : "failure"
        case .text("end"): self["exit_status"] == nil ? "failure" : "end"
        case .text(let event): event
        case .some: "reply"
        }
    }
}

extension TestClient {
    /// The next line as JSON, which the protocol's schema must allow.
    func answer(patience: Duration = .patience) throws -> JSON {
        guard let line = try stream.line(patience: patience) else {
            throw Overdue(what: "an answer; it ended")
        }
        let answer = try JSON(line)
        guard Schema.ofProtocol.accepts(answer, as: answer.kindOfReply) else {
            throw Overdue(what: "a line the schema allows, not \(line.text.prefix(500))")
        }
        return answer
    }

    /// Sends a request that the schema allows, and reads its one answer.
    func request(_ text: String) throws -> JSON {
        try order(text)
        return try answer()
    }

    /// Sends a request that the schema allows.
    func order(_ text: String) throws {
        guard Schema.ofProtocol.accepts(try JSON(Array(text.utf8)), as: "request") else {
            throw Overdue(what: "a request the schema allows, not \(text)")
        }
        try send(text + "\n")
    }

    /// The answers up to the one that ends a streamed request.
    func events(patience: Duration = .patience) throws -> [JSON] {
        var events: [JSON] = []
        repeat { events.append(try answer(patience: patience)) } while events.last?["event"] != .text("end")
        return events
    }
}

extension [JSON] {
    /// What the output events carry of one stream, or of both.
    func data(_ stream: String? = nil) -> String {
        filter { $0["event"] == .text("output") && (stream == nil || $0["stream"]?.text == stream) }
            .compactMap { $0["data"]?.text }.joined()
    }
}
