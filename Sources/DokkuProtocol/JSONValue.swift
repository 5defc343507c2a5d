// jansson's values as Swift types: a document with one owner, and borrowed views of its values.

import CJansson

/// A parsed document.
public struct JSONDocument: ~Copyable {
    public struct Failure: Error, Equatable {
        /// Whether the only error is a key that occurs twice in one object.
        public var isRepeatedKey: Bool
        /// The number of bytes that were read before the error.
        public var position: Int
    }

    private let root: UnsafeMutablePointer<json_t>

    /// Strict RFC 8259: no byte-order mark, no trailing comma, nothing after the value, no repeated key. Strings
    /// are valid UTF-8 and may contain U+0000. jansson itself limits nesting to 2,048 levels. Without
    /// `allowsScalars` only an object or an array is a document.
    public init(_ text: Span<UInt8>, allowsScalars: Bool = false) throws(Failure) {
        var flags = Int(JSON_REJECT_DUPLICATES) | Int(JSON_ALLOW_NUL)
        if allowsScalars { flags |= Int(JSON_DECODE_ANY) }
        var error = json_error_t()
        let parsed = text.withUnsafeBytes { bytes in
            json_loadb(bytes.baseAddress, bytes.count, flags, &error)
        }
        guard let parsed else {
            let isRepeatedKey = json_error_code(&error) == json_error_duplicate_key
            throw Failure(isRepeatedKey: isRepeatedKey, position: max(0, Int(error.position)))
        }
        root = parsed
    }

    deinit { json_decref(root) }

    /// Calls `body` with the document's value, which must not outlive the call.
    public borrowing func withValue<Result, Failure>(
        _ body: (JSONValue) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        try body(JSONValue(pointer: root))
    }
}

/// A value in a document, which must outlive it.
public struct JSONValue {
    fileprivate let pointer: UnsafeMutablePointer<json_t>

    public var isNull: Bool { pointer.pointee.type == JSON_NULL }

    public var isObject: Bool { pointer.pointee.type == JSON_OBJECT }

    public var bool: Bool? {
        switch pointer.pointee.type {
        case JSON_TRUE: true
        case JSON_FALSE: false
        default: nil
        }
    }

    /// A number written without fraction and exponent.
    public var integer: Int64? {
        pointer.pointee.type == JSON_INTEGER ? Int64(json_integer_value(pointer)) : nil
    }

    /// Any number; finite.
    public var number: Double? {
        switch pointer.pointee.type {
        case JSON_INTEGER, JSON_REAL: json_number_value(pointer)
        default: nil
        }
    }

    public var string: UnsafeBufferPointer<UInt8>? {
        guard pointer.pointee.type == JSON_STRING, let start = json_string_value(pointer) else { return nil }
        let count = json_string_length(pointer)
        return UnsafeBufferPointer(
            start: UnsafeRawPointer(start).assumingMemoryBound(to: UInt8.self), count: count)
    }

    /// The number of an array's elements; nil if it is not an array.
    public var elementCount: Int? { pointer.pointee.type == JSON_ARRAY ? json_array_size(pointer) : nil }

    /// An array's element; nil beyond its end.
    public subscript(index: Int) -> JSONValue? { json_array_get(pointer, index).map(JSONValue.init) }

    /// A member of an object; nil if it has none of that key, or is no object.
    public subscript(key: StaticString) -> JSONValue? {
        let key = UnsafeRawPointer(key.utf8Start).assumingMemoryBound(to: CChar.self)
        return json_object_get(pointer, key).map(JSONValue.init)
    }

    /// Calls `body` with each key and value of an object. Keys contain no U+0000.
    public func forEachMember<Failure>(
        _ body: (UnsafeBufferPointer<UInt8>, JSONValue) throws(Failure) -> Void
    ) throws(Failure) {
        var iterator = json_object_iter(pointer)
        while let here = iterator {
            if let key = json_object_iter_key(here), let value = json_object_iter_value(here) {
                let bytes = UnsafeRawPointer(key).assumingMemoryBound(to: UInt8.self)
                try body(
                    UnsafeBufferPointer(start: bytes, count: bytes_length(key)), JSONValue(pointer: value))
            }
            iterator = json_object_iter_next(pointer, here)
        }
    }
}
