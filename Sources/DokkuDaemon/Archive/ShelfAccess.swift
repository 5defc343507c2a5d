// How the archive comes to its shelf: the file is opened if it is there, made for the first job, and tried again if it
// cannot be used, at first after a second and then each minute.
import DokkuProtocol

/// Is told when there is a shelf.
protocol ShelfAccessOwner: AnyObject {
    /// `isLate`: after the start.
    func didOpen(_ shelf: JobShelf, isLate: Bool)
}

final class ShelfAccess {
    private enum State {
        /// There is no file yet.
        case absent
        case tried(Outcome)
    }

    private enum Outcome {
        case unusable(DatabaseError, retry: Timer)
        case open(JobShelf)
    }

    private let folder: String
    private let path: String
    private let numbers: JobNumbers
    private let timers: TimerQueue
    private let patience: Duration
    private let troubles: Troubles
    private var state = State.absent
    /// Nil before `start`.
    private weak var owner: (any ShelfAccessOwner)?

    private static let firstRetry = Duration.seconds(1)
    private static let lastRetry = Duration.seconds(60)

    init(
        folder: String, numbers: JobNumbers, timers: TimerQueue, patience: Duration, troubles: Troubles
    ) {
        self.folder = folder
        path = JobFile.path(in: folder)
        self.numbers = numbers
        self.timers = timers
        self.patience = patience
        self.troubles = troubles
    }

    deinit { if case .tried(.unusable(_, let retry)) = state { retry.cancel() } }

    /// Opens the file, if it is there. From now on `owner` is told when it could be opened.
    func start(owner: any ShelfAccessOwner) {
        self.owner = owner
        guard case .absent = state, JobFile.exists(path) else { return }
        if case .unusable = open(retryAfter: Self.firstRetry) { numbers.passUnknown() }
    }

    /// The shelf, if it is open.
    var shelf: JobShelf? { if case .tried(.open(let shelf)) = state { shelf } else { nil } }

    /// Why there is no shelf although there is a file.
    var fault: DatabaseError? { if case .tried(.unusable(let error, _)) = state { error } else { nil } }

    /// The shelf for what is to be kept. Makes the file if it is not there.
    func prepare() throws(Refusal) -> JobShelf {
        switch try outcome() {
        case .open(let shelf): return shelf
        case .unusable(let error, _): throw .storageFailed(error.text)
        }
    }

    private func outcome() throws(Refusal) -> Outcome {
        if case .tried(let outcome) = state { return outcome }
        do throws(SystemError) {
            try JobFile.make(path)
        } catch {
            troubles.report(.opening, "cannot make \(path): \(error.reason)")
            throw .storageFailed(error.reason)
        }
        return open(retryAfter: Self.firstRetry, isLate: true)
    }

    @discardableResult
    private func open(retryAfter pause: Duration, isLate: Bool = false) -> Outcome {
        let outcome = attempt(retryAfter: pause)
        state = .tried(outcome)
        if case .open(let shelf) = outcome {
            troubles.isOver(.opening)
            owner?.didOpen(shelf, isLate: isLate)
        }
        return outcome
    }

    private func attempt(retryAfter pause: Duration) -> Outcome {
        do throws(DatabaseError) {
            return .open(
                try JobShelf(folder: folder, numbers: numbers, timers: timers, patience: patience))
        } catch {
            troubles.report(.opening, "cannot keep detached jobs in \(path): \(error)")
            let retry = timers.schedule(after: pause) { [weak self] in
                self?.open(retryAfter: min(pause * 2, Self.lastRetry), isLate: true)
            }
            return .unusable(error, retry: retry)
        }
    }
}
