// What a command may change.
import DokkuProtocol

enum Scope: Equatable, Sendable {
    case nothing
    case app([UInt8])
    case host

    func mayRunBeside(_ other: Scope) -> Bool {
        switch (self, other) {
        case (.nothing, _), (_, .nothing): true
        case (.app(let one), .app(let two)): one != two
        case (.host, _), (_, .host): false
        }
    }

    init(of invocation: Invocation, writesFile: Bool) {
        self = invocation.traits?.reading != nil && !writesFile ? .nothing : .host
    }
}
