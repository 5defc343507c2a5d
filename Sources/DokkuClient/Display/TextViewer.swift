// Shows what the daemon itself tells, which has no newline at its end.
import DokkuProtocol

final class TextViewer: Viewer {
    private var last: UInt8?

    func shown(_ bytes: [UInt8], _ stream: OutputStream) -> [UInt8] {
        last = bytes.last ?? last
        return bytes
    }

    func ended() -> [UInt8] { last == nil || last == UInt8(ascii: "\n") ? [] : [UInt8(ascii: "\n")] }
}
