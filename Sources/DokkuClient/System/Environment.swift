// The variables of the environment.
import Glibc

enum Environment {
    /// Nil also if it is empty.
    static func value(_ name: String) -> String? {
        guard let value = getenv(name), value.pointee != 0 else { return nil }
        return String(cString: value)
    }
}
