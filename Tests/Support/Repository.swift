// Where the tests find the files of the tree that they need.
import Foundation

public enum Repository {
    private static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent()

    /// A file or folder, by its path from the root of the tree.
    public static func path(_ name: String) -> String { root.appendingPathComponent(name).path }
}
