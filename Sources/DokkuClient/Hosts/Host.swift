// A machine on which a command runs, as a person names it: `ssh://[user@]host[:port]`.

struct Host: Equatable {
    let user: String?
    /// As ssh's configuration or the network knows it.
    let name: String
    let port: String?

    init(_ text: String) throws(Arguments.Fault) {
        let scheme = "ssh://"
        guard text.hasPrefix(scheme) else { throw Self.fault(ofBare: text) }
        var rest = text.dropFirst(scheme.count)
        if let at = rest.lastIndex(of: "@") {
            user = String(rest[..<at])
            rest = rest[rest.index(after: at)...]
        } else {
            user = nil
        }
        let isNumeric = rest.hasPrefix("[")
        let end = isNumeric ? rest.firstIndex(of: "]") : rest.firstIndex(of: ":") ?? rest.endIndex
        guard let end else { throw Self.fault(of: text) }
        name = String(isNumeric ? rest[..<end].dropFirst() : rest[..<end])
        rest = isNumeric ? rest[end...].dropFirst() : rest[end...]
        port = rest.isEmpty ? nil : String(rest.dropFirst())
        guard rest.isEmpty || rest.first == ":", Self.isPort(port),
            Self.isWord(name, also: isNumeric ? ":%" : ""), user.map({ Self.isWord($0, also: "+@") }) ?? true
        else { throw Self.fault(of: text) }
    }

    /// Those on which the command runs; none for this one. An option outweighs `DOKKU_HOST`. Who is named twice is there once.
    /// A client that another one has started through ssh is where it should be: a variable there would send it on, perhaps
    /// in a circle without end.
    static func chosen(by arguments: Arguments) throws(Arguments.Fault) -> [Host] {
        var texts = arguments.hosts
        if texts.isEmpty, !arguments.endsUnread, let value = Environment.value("DOKKU_HOST") {
            texts = value.split { $0 == " " || $0 == "\t" || $0 == "\n" }.map(String.init)
        }
        var hosts: [Host] = []
        for text in texts {
            let host = try Host(text)
            if !hosts.contains(host) { hosts.append(host) }
        }
        return hosts
    }

    /// As a person named it.
    var address: String {
        let shown = name.utf8.contains(UInt8(ascii: ":")) ? "[\(name)]" : name
        return "ssh://" + (user.map { "\($0)@" } ?? "") + shown + (port.map { ":\($0)" } ?? "")
    }

    /// What tells each host from the others, at the beginning of its lines: its name if that is enough.
    static func labels(of hosts: [Host]) -> [String] {
        hosts.map { host in hosts.count { $0.name == host.name } == 1 ? host.name : host.address }
    }

    /// Characters that no shell and no option of ssh's sees as more than a name, wherever ssh's configuration puts them.
    private static func isWord(_ text: String, also others: String) -> Bool {
        !text.isEmpty && text.utf8.first != UInt8(ascii: "-")
            && text.utf8.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                    UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), UInt8(ascii: "_"),
                    UInt8(ascii: "-"):
                    true
                default: others.utf8.contains(byte)
                }
            }
    }

    private static func isPort(_ text: String?) -> Bool {
        guard let text else { return true }
        guard text.utf8.allSatisfy({ (0x30...0x39).contains($0) }), let number = Int(text) else {
            return false
        }
        return (1...65535).contains(number)
    }

    private static func fault(of text: String) -> Arguments.Fault {
        Arguments.Fault(text: "\(text) is no address of a host; write ssh://[user@]host[:port]")
    }

    /// dokku's own client takes such a name.
    private static func fault(ofBare text: String) -> Arguments.Fault {
        if text.utf8.contains(UInt8(ascii: "/")) || !isWord(text, also: "@:") { return fault(of: text) }
        let better = text.utf8.contains(UInt8(ascii: "@")) ? "ssh://\(text)" : "ssh://root@\(text)"
        return Arguments.Fault(
            text: """
                \(text) means to dokku's own client that it logs in there as user dokku, without dokku-daemon; write \(better)
                """)
    }
}
