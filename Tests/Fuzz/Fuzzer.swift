// All fuzzers, by name. Each looks at any bytes there are, and finds fault or returns.
@testable import DokkuProtocol

struct Fuzzer: Sendable, CustomStringConvertible {
    let description: String
    /// Throws what it found.
    let run: @Sendable ([UInt8]) throws -> Void

    /// Also the names of the folders in `corpus`.
    static let all = [
        Fuzzer(description: "Catalogue", run: fuzzCatalogue),
        Fuzzer(description: "CatalogueStore", run: fuzzCatalogueStore),
        Fuzzer(description: "Conversation", run: fuzzConversation),
        Fuzzer(description: "JSONRequestDecoder", run: fuzzJSONRequestDecoder),
        Fuzzer(description: "LineFramer", run: fuzzLineFramer),
        Fuzzer(description: "OutputEncoder", run: fuzzOutputEncoder),
        Fuzzer(description: "ReadOnly", run: fuzzReadOnly),
        Fuzzer(description: "Redaction", run: fuzzRedaction),
        Fuzzer(description: "ReplyLine", run: fuzzReplyLine),
        Fuzzer(description: "RunningRecord", run: fuzzRunningRecord),
        Fuzzer(description: "ShellWords", run: fuzzShellWords),
    ]
}
