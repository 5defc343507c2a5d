// Shows the output and nothing else: for pipes and files.
import DokkuProtocol

final class PlainViewer: Viewer {
    func queued(_ event: QueuedEvent) {}
    func started(_ job: UInt64) {}
    func cancelling(time: Int) {}
    func shown(_ bytes: [UInt8], _ stream: OutputStream) -> [UInt8] { bytes }
    func shown(event: String, _ line: ArraySlice<UInt8>) -> [UInt8]? { nil }
    func resized() {}
    var nextLook: Int32? { nil }
    func look() {}
    func clear() {}
}
