// How much is kept of detached jobs, and how long.
import DokkuProtocol

struct KeepLimits {
    /// How long results are kept.
    var keep: Duration
    /// Jobs that wait, run or have ended.
    var jobs: Int
    /// Bytes of output, input and words, and a little for each piece.
    var bytes: Int

    /// What all restricted sockets together may have.
    var restrictedShare: KeepLimits {
        KeepLimits(
            keep: keep, jobs: ListenerOptions.restrictedShare(of: jobs),
            bytes: ListenerOptions.restrictedShare(of: bytes))
    }
}
