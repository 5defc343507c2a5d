// A wait that was given up: the one way in which a hang becomes a failure.

public struct Overdue: Error, CustomStringConvertible {
    private let what: String

    public init(what: String) { self.what = what }

    public var description: String { "waited in vain for \(what)" }
}
