// A client without a socket: what is sent to it stands in an array.
import CEpollShim
import TestSupport

@testable import DokkuDaemon
@testable import DokkuProtocol

final class FakeRequester: Requester {
    let peer = Peer.sample
    var rules: ListenerRules
    let account: SpoolAccount
    let words = Budget(limit: 1 << 20)
    let submitter = Submitter(places: Budget(limit: 10))
    var hasGone = false
    var unsentCount = 0
    var isOverfull = false
    /// What `send` answers: false where the reader is too far behind.
    var takesMore = true

    /// What a connection was told of the bytes that follow.
    enum Instruction: Equatable { case bytes(Int), chunks, nothing, held, resumed }

    private var sent: [UInt8] = []
    private(set) var open: [any OpenRequest] = []
    private(set) var instructions: [Instruction] = []
    /// Takes the input that is expected.
    private(set) var input: (any InputSink)?

    init(_ folder: Folder, _ rules: ListenerRules = ListenerRules()) {
        self.rules = rules
        account = SpoolAccount(folder: folder.path, limit: 1 << 20)
    }

    /// The lines so far, without their newlines. They are forgotten.
    func takeLines() -> [String] {
        defer { sent = [] }
        return String(decoding: sent, as: UTF8.self).split(separator: "\n").map(String.init)
    }

    @discardableResult
    func send(_ write: (inout [UInt8]) -> Void) -> Bool {
        write(&sent)
        return takesMore
    }

    func send(_ spool: Spool) { sent += spool.memoryBytes }
    func send(_ shared: SharedBytes) { sent += shared.memoryBytes ?? [] }
    func send(line: [UInt8]) { sent += line }
    func didOpen(_ request: any OpenRequest) { open.append(request) }
    func didAnswer(_ request: any OpenRequest) { open.removeAll { $0 === request } }

    func expectInput(_ form: RequestReader.InputForm, for sink: any InputSink) {
        switch form {
        case .bytes(let count): instructions.append(.bytes(count))
        case .chunks: instructions.append(.chunks)
        }
        input = sink
    }

    func expectNothing() { instructions.append(.nothing) }
    func holdBack() { instructions.append(.held) }
    func pause() -> Bool {
        instructions.append(.held)
        return true
    }
    func resume() { instructions.append(.resumed) }
}
