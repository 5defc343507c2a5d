// What the daemon at a socket can do that an older one cannot.
import DokkuProtocol

struct Features {
    private let names: Set<String>

    func contains(_ feature: Feature) -> Bool { names.contains(feature.rawValue) }

    /// Asks on a connection of its own. An old daemon, or none, has no features.
    init(of path: String) {
        names = Self.answer(of: path).flatMap(Self.names) ?? []
    }

    /// The daemon answers at once, except right after its start, when it reads dokku's list.
    private static let patience: Int32 = 5000

    private static func answer(of path: String) -> [UInt8]? {
        do throws(SystemFailure) {
            let connection = try Connection(to: path)
            try connection.send(Question.line(["daemon:version", "--format", "json"]))
            while true {
                if let line = connection.nextLine() {
                    guard let reply = try? ReplyLine(line), case .end(let end) = reply.content, end.isOK
                    else {
                        return nil
                    }
                    return end.output
                }
                var poll = Poll()
                poll.wantsRead(connection.descriptor)
                poll.wait(milliseconds: patience)
                guard poll.canRead(connection.descriptor), try connection.receive() == .something else {
                    return nil
                }
            }
        } catch {
            return nil
        }
    }

    private static func names(in output: [UInt8]) -> Set<String>? {
        guard let document = try? JSONDocument(output.span) else { return nil }
        return document.withValue { value in
            guard let list = value["features"], let count = list.elementCount else { return nil }
            return Set(
                (0..<count).compactMap { list[$0]?.string.map { String(decoding: $0, as: UTF8.self) } })
        }
    }
}
