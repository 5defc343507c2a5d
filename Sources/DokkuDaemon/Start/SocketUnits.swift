// Finds the socket units of the daemon's service, as systemd would load them: systemd.unit(5), "Unit File Load Path".
import Glibc

struct SocketUnit {
    /// The unit's name, such as `dokku-daemon-read-only.socket`.
    let name: String
    let paths: [String]
    /// Its rules, as it gives them; systemd's default is the unit's name.
    let rules: String
}

struct SocketUnits {
    static let service = "dokku-daemon.service"
    private static let usualFolders = ["/etc", "/run", "/usr/local/lib", "/usr/lib", "/lib"].map {
        "\($0)/systemd/system"
    }

    /// Earlier ones take precedence.
    private let folders: [String]

    /// `SYSTEMD_UNIT_PATH` replaces the usual folders, or adds to them if it ends in a colon, as it does for systemd.
    init(environment: [String: String]) {
        let given = environment["SYSTEMD_UNIT_PATH"] ?? ":"
        folders =
            given.split(separator: ":").map(String.init) + (given.hasSuffix(":") ? Self.usualFolders : [])
    }

    /// In the order of their names.
    func all() -> [SocketUnit] {
        let paths = folders.flatMap { Self.files(matching: "\($0)/*.socket") }
        return Set(paths.map(fileName)).filter { !$0.contains("@") }.sorted().compactMap(unit)
    }

    /// Nil if it is another service's, or masked.
    private func unit(_ name: String) -> SocketUnit? {
        let paths: [String] = folders.map { "\($0)/\(name)" }
        guard let path = paths.first(where: { access($0, F_OK) == 0 }), let main = try? readFile(path),
            !main.isEmpty
        else { return nil }
        let file = UnitFile([main] + dropIns(of: name).compactMap { try? readFile($0) })
        let standard = name.replacingSuffix(".socket", by: ".service")
        guard (file.last("Socket.Service") ?? standard) == Self.service else { return nil }
        return SocketUnit(
            name: name, paths: file.all("Socket.ListenStream"),
            rules: file.last("Socket.FileDescriptorName") ?? name)
    }

    /// In the order of their names; of two with one name the one in the earlier folder counts.
    private func dropIns(of unit: String) -> [String] {
        let paths = folders.flatMap { Self.files(matching: "\($0)/\(unit).d/*.conf") }
        let first = Dictionary(paths.map { (fileName($0), $0) }) { earlier, _ in earlier }
        return first.sorted { $0.key < $1.key }.map(\.value)
    }

    /// glob(3)
    private static func files(matching pattern: String) -> [String] {
        var found = glob_t()
        defer { globfree(&found) }
        guard glob(pattern, 0, nil, &found) == 0 else { return [] }
        return (0..<Int(found.gl_pathc)).compactMap { found.gl_pathv?[$0].map { String(cString: $0) } }
    }
}

/// The last part of a path.
private func fileName(_ path: String) -> String { String(path.split(separator: "/").last ?? "") }

extension String {
    fileprivate func replacingSuffix(_ suffix: String, by other: String) -> String {
        hasSuffix(suffix) ? String(dropLast(suffix.count)) + other : self
    }
}
