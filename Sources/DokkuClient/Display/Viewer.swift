// What a person sees while a command waits and runs, besides its output.
import DokkuProtocol

protocol Viewer: AnyObject {
    func queued(_ event: QueuedEvent)
    func started(_ job: UInt64)
    /// Ctrl-C was pressed for the first or the second time.
    func cancelling(time: Int)
    /// The output as it is to be written.
    func shown(_ bytes: [UInt8], _ stream: OutputStream) -> [UInt8]
    /// What is to be written for an event that is none of a command's; nil for nothing.
    func shown(event: String, _ line: ArraySlice<UInt8>) -> [UInt8]?
    /// The window has another size.
    func resized()
    /// Milliseconds until `look` should be called; nil if there is no need.
    var nextLook: Int32? { get }
    /// Called after each wait.
    func look()
    /// Leaves the terminal as it was, because something else is written now.
    func clear()
}
