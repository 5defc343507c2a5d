// What a command may change.
import DokkuProtocol

enum Scope: Equatable, Sendable {
    case nothing
    case app(ArraySlice<UInt8>)
    case host
    case everything

    func mayRunBeside(_ other: Scope) -> Bool {
        switch (self, other) {
        case (.everything, _), (_, .everything): false
        case (.nothing, _), (_, .nothing): true
        case (.app(let one), .app(let two)): one != two
        case (.host, _), (_, .host): false
        }
    }

    init(of invocation: Invocation, changesFiles: Bool) {
        self = invocation.traits?.reading != nil && !changesFiles ? .nothing : .host
    }
}
