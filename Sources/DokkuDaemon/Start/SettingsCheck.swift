// `dokku-daemon --check`: reports what is wrong with the settings that the daemon would start with.
import Glibc

struct SettingsCheck {
    /// The files that the shipped unit names with EnvironmentFile=, in its order. Each may be missing.
    static let unitFiles = ["/etc/default/dokku-daemon", "/etc/systemd/system/dokku-daemon.env"]

    /// What would keep the daemon from starting.
    private(set) var faults: [String] = []
    /// What the daemon would ignore.
    private(set) var warnings: [String] = []

    /// Reads the environment, and then `files`, which override it. If there are none, it reads the unit's files.
    init(environment: [String: String], files: [String]) {
        var environment = environment
        for path in files.isEmpty ? Self.unitFiles : files {
            let file: EnvironmentFile
            do throws(SystemError) {
                file = EnvironmentFile(try Self.read(path))
            } catch {
                if !files.isEmpty || error.number != ENOENT { faults.append("\(path): \(error.reason)") }
                continue
            }
            environment.merge(file.variables) { _, later in later }
            warnings += file.wrongNames.map { "\(path): \"\($0)\" is not a valid variable name for systemd" }
        }
        let configuration = Configuration(environment: environment)
        faults += configuration.faults
        warnings += configuration.warnings
    }

    private static func read(_ path: String) throws(SystemError) -> [UInt8] {
        let file = try Descriptor.open(path, O_RDONLY)
        var bytes: [UInt8] = []
        while case let part = try file.readStart(1 << 16), !part.isEmpty { bytes += part }
        return bytes
    }
}
