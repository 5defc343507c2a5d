// Writes JSON values, member by member. What of a line comes from a command goes through `OutputEncoder` instead.

/// Appends values one after another and puts the commas between them. A value without a key is an item of an array, or
/// the whole text.
public struct JSONWriter {
    public private(set) var bytes: [UInt8] = []

    public init() {}

    /// The bytes, which are always valid UTF-8.
    public var text: String { String(decoding: bytes, as: UTF8.self) }

    public mutating func add(_ key: StaticString?, _ text: String) {
        begin(key)
        bytes.append("\"")
        bytes.append(escaping: text)
        bytes.append("\"")
    }

    public mutating func add(_ key: StaticString?, _ number: some BinaryInteger) {
        begin(key)
        bytes.append(decimal: number)
    }

    public mutating func add(_ key: StaticString?, _ flag: Bool) {
        begin(key)
        bytes.append(flag ? "true" : "false")
    }

    public mutating func addNull(_ key: StaticString?) {
        begin(key)
        bytes.append("null")
    }

    /// `members` adds values with keys.
    public mutating func addObject(_ key: StaticString? = nil, _ members: (inout JSONWriter) -> Void) {
        begin(key)
        bytes.append("{")
        members(&self)
        bytes.append("}")
    }

    /// `items` adds values without keys.
    public mutating func addArray(_ key: StaticString? = nil, _ items: (inout JSONWriter) -> Void) {
        begin(key)
        bytes.append("[")
        items(&self)
        bytes.append("]")
    }

    /// Every value ends with another character than those that precede a first one.
    private mutating func begin(_ key: StaticString?) {
        switch bytes.last {
        case nil, UInt8(ascii: "{"), UInt8(ascii: "["): break
        default: bytes.append(",")
        }
        guard let key else { return }
        bytes.append("\"")
        bytes.append(key)
        bytes.append("\":")
    }
}
