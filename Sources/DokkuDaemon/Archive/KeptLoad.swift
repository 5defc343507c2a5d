// How much of the limits detached jobs take.

/// What is kept, or is to be: jobs, and the price of their data.
struct KeptLoad {
    /// Whose it is: of restricted sockets, or of any.
    enum Part: Hashable { case all, restricted }

    var jobs = 0
    var bytes = 0

    static func + (one: Self, other: Self) -> Self {
        Self(jobs: one.jobs + other.jobs, bytes: one.bytes + other.bytes)
    }

    static func - (one: Self, other: Self) -> Self {
        Self(jobs: one.jobs - other.jobs, bytes: one.bytes - other.bytes)
    }

    /// What is too much of it.
    func excess(over limits: KeepLimits) -> KeptLoad {
        self - KeptLoad(jobs: limits.jobs, bytes: limits.bytes)
    }

    var isNothing: Bool { jobs <= 0 && bytes <= 0 }
}
