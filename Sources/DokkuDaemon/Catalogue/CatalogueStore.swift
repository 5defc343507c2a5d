// The stored catalogue: a file in the state folder that saves a start the reading, and the check whether it is
// outdated.
import CEpollShim
import Glibc

struct CatalogueStore {
    /// The state folder.
    let folder: String
    /// The folders that list the enabled plugins. A plugin that is added or removed changes the folder's date.
    let pluginFolders: [String]

    private static let format = "dokku-daemon catalogue 1"
    private var path: String { "\(folder)/catalogue" }

    /// Changes when a plugin is installed or removed.
    func stamp() -> [FileStamp] { pluginFolders.map(FileStamp.init) }

    /// Stores a catalogue. If that fails, the next start takes longer, and nothing else happens.
    func save(_ catalogue: Catalogue, date: time_t, program: String, stamp: [FileStamp]) {
        var text = "\(Self.format)\n\(program) \(stamp)\n\(date)\n"
        for name in catalogue.listedNames { text += name + "\n" }
        do throws(SystemError) {
            let temporary = path + ".new"
            let file = try Descriptor.open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW, mode: 0o640)
            try file.writeAll(Array(text.utf8)[...])
            if rename(temporary, path) != 0 { throw .last("rename") }
        } catch {
            unlink(path + ".new")
        }
    }

    /// The stored catalogue, if this program and its current plugins made it.
    func load(program: String, stamp: [FileStamp]) -> (catalogue: Catalogue, date: time_t)? {
        guard let text = contents() else { return nil }
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        guard lines.count > 4, lines[0] == Self.format, lines[1] == "\(program) \(stamp)", text.last == "\n",
            let date = time_t(lines[2])
        else { return nil }
        return (Catalogue(listed: lines[3...].dropLast().map(String.init)), date)
    }

    private func contents() -> String? {
        guard let file = try? Descriptor.open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK) else { return nil }
        let limit = 1024 * 1024
        guard let bytes = try? file.readStart(limit), bytes.count < limit else { return nil }
        return String(validating: bytes, as: UTF8.self)
    }
}
