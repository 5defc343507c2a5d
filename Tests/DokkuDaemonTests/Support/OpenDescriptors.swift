// What this process has open and has not reaped. Of use only in a process of the test's own (an exit test): other
// suites open files at the same time.
import Foundation
import Glibc

enum OpenDescriptors {
    /// Number and file of each. The listing's own descriptor is gone by the time its link is read.
    static var now: [String: String] {
        let folder = "/proc/self/fd"
        var found: [String: String] = [:]
        for name in (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? [] {
            if let file = try? FileManager.default.destinationOfSymbolicLink(atPath: "\(folder)/\(name)") {
                found[name] = file
            }
        }
        return found
    }
}

enum Zombies {
    /// True where no child is left, neither running nor to be reaped.
    static var none: Bool { waitpid(-1, nil, WNOHANG | Int32(__WALL)) == -1 && errno == ECHILD }
}
