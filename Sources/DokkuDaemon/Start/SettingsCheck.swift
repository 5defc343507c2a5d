// `dokku-daemon --check`: reports what is wrong with the settings that the daemon would start with.
import DokkuProtocol
import Glibc

struct SettingsCheck {
    /// The files that the shipped unit names with EnvironmentFile=, in its order. Each may be missing.
    static let unitFiles = ["/etc/default/dokku-daemon", "/etc/systemd/system/dokku-daemon.env"]

    /// What would keep the daemon from starting.
    private(set) var faults: [String] = []
    /// What the daemon would ignore, and what a list may give against its author's will.
    private(set) var warnings: [String] = []
    let configuration: Configuration

    /// Reads the environment, and then `files`, which override it. If there are none, it reads the unit's files.
    init(environment: [String: String], files: [String]) {
        var environment = environment
        for path in files.isEmpty ? Self.unitFiles : files {
            let file: EnvironmentFile
            do throws(SystemError) {
                file = EnvironmentFile(try readFile(path))
            } catch {
                if !files.isEmpty || error.number != ENOENT { faults.append("\(path): \(error.reason)") }
                continue
            }
            environment.merge(file.variables) { _, later in later }
            warnings += file.wrongNames.map { "\(path): \"\($0)\" is not a valid variable name for systemd" }
        }
        configuration = Configuration(environment: environment)
        faults += configuration.faults
        warnings += configuration.warnings
    }

    /// Checks the rules of the units, and tells what their sockets may do, a line each.
    mutating func checkSockets(_ units: [SocketUnit]) -> [String] {
        let lists = AllowFolder(configuration.allowFolder)
        let user = SystemUser(name: configuration.systemUser, ownUser: 0)
        let check = RightsCheck(keyHolderComplaint: user.complaint, lists: lists)
        faults += check.faults(of: configuration.listenerRules)
        return units.flatMap { unit in
            do throws(ListenerRules.Fault) {
                let rules = try ListenerRules(parsing: unit.rules)
                // Two sockets may have the same list.
                faults += check.faults(of: rules).filter { !faults.contains($0) }
                let rights = SocketRights(rules: rules, lists: lists)
                warnings += rights.warnings.filter { !warnings.contains($0) }
                return ["\(unit.paths.joined(separator: ", ")) (\(unit.name)):"] + rights.lines
            } catch {
                faults.append("\(unit.name) has FileDescriptorName=\(unit.rules), and \(error.text)")
                return []
            }
        }
    }
}

/// All bytes of a file.
func readFile(_ path: String) throws(SystemError) -> [UInt8] {
    let file = try Descriptor.open(path, O_RDONLY)
    var bytes: [UInt8] = []
    while case let part = try file.readStart(1 << 16), !part.isEmpty { bytes += part }
    return bytes
}
