// The place of a waiting command among the others.

/// What a waiting command waits for.
enum Obstacle: Equatable {
    /// Another job has to end first.
    case job(UInt64)
    /// It asks the same as another waiting job, and shares its run.
    case run(of: UInt64)
    /// As many commands run as may run at once.
    case turn
    /// Another process holds the lock.
    case lock
    /// It could not be written down that it starts.
    case disk
}

struct QueuePlace: Equatable {
    /// 1 starts next. Commands that run beside the queue are counted by themselves.
    var position: Int
    var obstacle: Obstacle?
}
