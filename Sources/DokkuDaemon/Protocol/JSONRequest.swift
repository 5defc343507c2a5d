enum RequestID: Equatable, Sendable { case text(String), number(Int64) }
struct JSONRequest {
    enum Input { case bytes([UInt8]); case following(count: Int) }
    enum Encoding { case utf8, base64 }
    struct Fault: Error {
        var refusal: Refusal; var id: RequestID?; var isStreamed: Bool; var followingBytes: Int
    }
    var id: RequestID?
    var command: ArgumentList
    var isStreamed: Bool
    var input: Input?
    var encoding: Encoding
    var stripsAnsi: Bool
    var timeout: Duration?
    var endsWithClient: Bool
}
enum JSONRequestDecoder {
    static func decode(_ line: ArraySlice<UInt8>) throws(JSONRequest.Fault) -> JSONRequest {
        throw JSONRequest.Fault(refusal: .invalidCommand, id: nil, isStreamed: false, followingBytes: 0)
    }
}
