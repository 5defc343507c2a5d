// Reads the members of an object that the daemon sends. It may hold more than is asked for.

/// Which members an answer must have, and what each of them is.
struct ReplyMembers {
    /// This member is missing, or is not what the protocol says.
    struct Fault: Error, Equatable {
        var key: String
    }

    let value: JSONValue

    func optional<Value>(_ key: StaticString, _ read: (JSONValue) -> Value?) throws(Fault) -> Value? {
        guard let member = value[key] else { return nil }
        guard let value = read(member) else { throw Fault(key: "\(key)") }
        return value
    }

    func required<Value>(_ key: StaticString, _ read: (JSONValue) -> Value?) throws(Fault) -> Value {
        guard let value = try optional(key, read) else { throw Fault(key: "\(key)") }
        return value
    }

    func flag(_ key: StaticString) throws(Fault) -> Bool { try optional(key, \.bool) ?? false }

    func members(_ key: StaticString) throws(Fault) -> ReplyMembers? {
        try optional(key) { $0.isObject ? ReplyMembers(value: $0) : nil }
    }

    /// How a process ended; nil if there was none. A signal takes the place of the exit status, which is null then.
    func status() throws(Fault) -> ExitStatus? {
        guard let status = value["exit_status"] else { return nil }
        if status.isNull { return .signalled(try required("signal", \.text)) }
        return .exited(try required("exit_status", \.int32))
    }
}

extension JSONValue {
    var bytes: [UInt8]? { string.map(Array.init) }
    var text: String? { string.map { String(decoding: $0, as: UTF8.self) } }
    var base64: [UInt8]? { string.flatMap(Base64Decoder.decode) }
    /// Seconds since 1970 that can be subtracted from each other: JSON's exact integers.
    var date: Int64? { integer.flatMap { RequestID.numbers.contains($0) ? $0 : nil } }
    var int: Int? { integer.flatMap { Int(exactly: $0) } }
    /// A place in a line; the first is 1.
    var place: Int? { int.flatMap { $0 > 0 ? $0 : nil } }
    var int32: Int32? { integer.flatMap { Int32(exactly: $0) } }
    var uint32: UInt32? { integer.flatMap { UInt32(exactly: $0) } }
    var count: UInt64? { integer.flatMap { UInt64(exactly: $0) } }
    var milliseconds: Duration? { count.map { .milliseconds($0) } }
}
