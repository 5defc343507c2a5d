// What the client itself says: one line on standard error.
import Glibc

enum Message {
    /// The program's name comes first, as in every program's messages.
    static func say(_ text: String) {
        // If nobody reads standard error, there is nobody to tell.
        _ = write("dokku-client: \(Printable.line(text))\n", to: Standard.error)
    }

    /// Writes a question to standard error, which is printable.
    static func ask(_ text: String) { _ = write(text, to: Standard.error) }

    /// Writes a line to standard output. False if that fails.
    @discardableResult
    static func print(_ text: String) -> Bool { write(text + "\n", to: Standard.output) }

    private static func write(_ text: String, to descriptor: Int32) -> Bool {
        var rest = Array(text.utf8)[...]
        while !rest.isEmpty {
            do throws(SystemFailure) {
                rest = rest.dropFirst(try Transfer.write(rest, to: descriptor))
            } catch {
                return false
            }
        }
        return true
    }
}
