// The bytes that follow a JSON request's line: its standard input.

/// Collects one body, or skips it.
final class BodyReceiver {
    typealias Completion = (Result<Spool, Refusal>) -> Void

    /// Bytes that have not come yet.
    private(set) var missing: Int
    private let spool: Spool?
    private var failure: Refusal?
    private let completion: Completion

    init(_ count: Int, into spool: Spool, completion: @escaping Completion) {
        missing = count
        self.spool = spool
        self.completion = completion
    }

    /// The body of a request that was refused already.
    init(skipping count: Int) {
        missing = count
        spool = nil
        completion = { _ in }
    }

    func receive(_ bytes: ArraySlice<UInt8>) {
        missing -= bytes.count
        guard let spool, failure == nil else { return }
        do throws(Spool.Failure) {
            try spool.append(bytes.span)
        } catch {
            failure = Refusal(code: .inputTooLong, text: "The input cannot be kept: \(error.reason)")
        }
    }

    /// All has come, or nothing more will: `reason` says why, where it is not the client's doing.
    func end(_ reason: Refusal? = nil) {
        if missing > 0 {
            completion(.failure(reason ?? .invalid("The input ended \(missing) bytes too early")))
        } else if let failure {
            completion(.failure(failure))
        } else if let spool {
            completion(.success(spool))
        }
    }
}
