// A built-in's answer: its bytes are made once, for all requests that ask for it.
import DokkuProtocol

final class SharedAnswer {
    /// The bytes of one encoding.
    private enum Form {
        case unmade
        case made(SharedBytes)
        /// So many bytes found no room. While memory is short they are not made again for each request.
        case failed(SystemError, count: Int)
    }

    private let text: String
    private let account: SpoolAccount
    private var escapedForm = Form.unmade
    private var base64Form = Form.unmade

    init(_ text: String, account: SpoolAccount) {
        self.text = text
        self.account = account
    }

    /// The text as the inside of a JSON string. Fails if there is no room for it; 4 KiB always find some.
    func escaped() throws(SystemError) -> SharedBytes {
        try bytes(of: &escapedForm) { $0.append(escaping: text) }
    }

    /// The text in base64. Fails likewise.
    func base64() throws(SystemError) -> SharedBytes {
        try bytes(of: &base64Form) { bytes in
            var encoder = Base64Encoder()
            encoder.encode(Array(text.utf8).span, into: &bytes)
            encoder.finish(into: &bytes)
        }
    }

    private func bytes(
        of form: inout Form, _ write: (inout [UInt8]) -> Void
    ) throws(SystemError) -> SharedBytes {
        switch form {
        case .made(let bytes): return bytes
        case .failed(let error, let count) where count > account.store.memoryLimit: throw error
        case .unmade, .failed: break
        }
        var bytes: [UInt8] = []
        write(&bytes)
        do throws(SystemError) {
            let shared = try SharedBytes(bytes, account: account)
            form = .made(shared)
            return shared
        } catch {
            form = .failed(error, count: bytes.count)
            throw error
        }
    }
}
