// A built-in's answer: its bytes are made once, for all requests that ask for it.
import DokkuProtocol

final class SharedAnswer {
    private let text: String
    private let account: SpoolAccount
    /// The text as the inside of a JSON string.
    private(set) lazy var escaped = make { $0.append(escaping: text) }
    private(set) lazy var base64 = make { bytes in
        var encoder = Base64Encoder()
        encoder.encode(Array(text.utf8).span, into: &bytes)
        encoder.finish(into: &bytes)
    }

    init(_ text: String, account: SpoolAccount) {
        self.text = text
        self.account = account
    }

    private func make(_ write: (inout [UInt8]) -> Void) -> SharedBytes {
        var bytes: [UInt8] = []
        write(&bytes)
        return SharedBytes(bytes, account: account)
    }
}
