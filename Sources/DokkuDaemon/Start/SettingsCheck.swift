// `dokku-daemon --check`: what is wrong with the settings that the daemon would start with.
import Glibc

struct SettingsCheck {
    /// What the shipped unit names with EnvironmentFile=, in its order. Each may be missing.
    static let unitFiles = ["/etc/default/dokku-daemon", "/etc/systemd/system/dokku-daemon.env"]

    /// What the daemon would not start with.
    private(set) var faults: [String] = []
    /// What it would leave out.
    private(set) var warnings: [String] = []

    /// Reads the environment and, over it, `files`; where there are none, the unit's.
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
            warnings += file.wrongNames.map { "\(path): systemd takes no setting by the name \"\($0)\"" }
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
