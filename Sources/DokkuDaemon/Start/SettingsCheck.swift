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

    /// Checks the rules of the units and of the daemon's own socket, and tells what their sockets may do, a line each.
    mutating func checkSockets(_ units: [SocketUnit]) -> [String] {
        let lists = AllowFolder(configuration.allowFolder)
        let user = SystemUser(name: configuration.systemUser, ownUser: 0)
        let check = RightsCheck(keyHolderComplaint: user.complaint, lists: lists)
        let own = configuration.listenerRules
        faults += check.faults(of: own)
        var lines: [String] = []
        if makesOwnSocket(beside: units) {
            lines = tell("\(configuration.socketPath) (DOKKU_SOCK_PATH)", own, lists)
        }
        for unit in units {
            do throws(ListenerRules.Fault) {
                let rules = try ListenerRules(parsing: unit.rules)
                // Two sockets may have the same list.
                faults += check.faults(of: rules).filter { !faults.contains($0) }
                lines += tell("\(unit.paths.joined(separator: ", ")) (\(unit.name))", rules, lists)
            } catch {
                faults.append("\(unit.name) has FileDescriptorName=\(unit.rules), and \(error.text)")
            }
        }
        return lines
    }

    /// False also if it would make one for want of a unit, without any setting that could be wrong.
    private func makesOwnSocket(beside units: [SocketUnit]) -> Bool {
        let isNamed = configuration.isSocketPathGiven || configuration.listenerRules != ListenerRules()
        return isNamed && !units.contains { $0.paths.contains(configuration.socketPath) }
    }

    /// What a socket may do, a line each. Warns of what its list gives.
    private mutating func tell(_ socket: String, _ rules: ListenerRules, _ lists: AllowFolder) -> [String] {
        let rights = SocketRights(rules: rules, lists: lists)
        warnings += rights.warnings.filter { !warnings.contains($0) }
        return ["\(socket):"] + rights.lines
    }
}

/// All bytes of a file.
func readFile(_ path: String) throws(SystemError) -> [UInt8] {
    let file = try Descriptor.open(path, O_RDONLY)
    var bytes: [UInt8] = []
    while case let part = try file.readStart(1 << 16), !part.isEmpty { bytes += part }
    return bytes
}
