// How much is kept of detached jobs, and how long.

struct KeepLimits {
    /// How long results are kept.
    var keep: Duration
    /// Jobs that wait, run or have ended.
    var jobs: Int
    /// Bytes of output, input and words, and a little for each piece.
    var bytes: Int
}
