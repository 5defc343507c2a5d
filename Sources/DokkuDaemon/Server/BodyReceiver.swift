// Receives the input of a JSON request.
import DokkuProtocol

/// Keeps one input in a spool, or skips it.
final class BodyReceiver: InputSink {
    typealias Completion = (Result<Spool, Refusal>) -> Void

    private enum State {
        case keeping(Spool, Completion)
        /// The rest is skipped, and then the request is refused.
        case failed(Refusal, Completion)
        /// The request was already refused.
        case skipping
    }

    private let limit: Int
    private var count = 0
    private var state: State
    private var patience: Patience?

    /// `limit` is the most bytes of an input. If no byte comes for `patience`, the input is given up, and the rest
    /// of it is skipped.
    init(
        into spool: Spool, limit: Int, patience: Duration?, loop: EventLoop, completion: @escaping Completion
    ) {
        self.limit = limit
        state = .keeping(spool, completion)
        self.patience = patience.map { time in
            Patience(time, loop: loop) { [unowned self] in give(up: .silence(time)) }
        }
    }

    init() {
        limit = 0
        state = .skipping
    }

    func receive(_ bytes: ArraySlice<UInt8>) {
        patience?.renew()
        guard case .keeping(let spool, let completion) = state else { return }
        count += bytes.count
        guard count <= limit else { return state = .failed(.inputTooLong(limit), completion) }
        do throws(Spool.Failure) {
            try spool.append(bytes.span)
        } catch {
            let text = "The input could not be stored: \(error.reason)"
            state = .failed(Refusal(code: .inputTooLong, text: text), completion)
        }
    }

    func end(_ end: InputEnd) {
        let failure = end.refusal
        let ended = state
        forget()
        switch ended {
        case .skipping: break
        case .keeping(let spool, let completion): completion(failure.map { .failure($0) } ?? .success(spool))
        case .failed(let refusal, let completion): completion(.failure(failure ?? refusal))
        }
    }

    private func give(up reason: Refusal) {
        let ended = state
        forget()
        switch ended {
        case .skipping: break
        case .keeping(_, let completion): completion(.failure(reason))
        case .failed(let refusal, let completion): completion(.failure(refusal))
        }
    }

    private func forget() {
        state = .skipping
        patience = nil
    }
}

extension Refusal {
    fileprivate static func silence(_ time: Duration) -> Refusal {
        .invalid("No input arrived for \(time.wholeMilliseconds / 1000) seconds")
    }
}

extension InputEnd {
    /// The client's answer; nil if the input is complete.
    fileprivate var refusal: Refusal? {
        switch self {
        case .complete: nil
        case .early(let missing?): .invalid("The input ended \(missing) bytes too early")
        case .early(nil): .invalid("The input ended too early")
        case .stopped: .shuttingDown
        case .unreadable: .wrongDescriptors
        case .malformed: .invalid("A chunk begins with its size in digits and a newline")
        }
    }
}
