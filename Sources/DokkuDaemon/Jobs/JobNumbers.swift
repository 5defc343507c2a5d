// The numbers of jobs. None is given twice, whether its job is kept on disk or not.
import Glibc

final class JobNumbers {
    /// The first number that was given; nil before that.
    private var first: UInt64?
    /// Numbers up to this one are used.
    private(set) var last: UInt64 = 0

    /// The number of the next job that is accepted.
    var next: UInt64 { last + 1 }

    /// A job was accepted and has the next number.
    func giveNext() {
        last += 1
        if first == nil { first = last }
    }

    /// Numbers up to this one were given by earlier daemons. False if this one has given one of them, too: then nothing
    /// is passed over.
    func pass(_ number: UInt64) -> Bool {
        if let first, first <= number { return false }
        last = max(last, number)
        return true
    }

    /// Earlier daemons have given numbers that cannot be read now. Goes on with the time in milliseconds since 1970:
    /// their numbers are lower, unless they have given a thousand in each second, or the clock was set back.
    func passUnknown() {
        var now = timespec()
        clock_gettime(CLOCK_REALTIME, &now)
        last = max(last, UInt64(clamping: now.tv_sec * 1000 + now.tv_nsec / 1_000_000))
    }
}
