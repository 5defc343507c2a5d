// What a person sees while a command waits and runs, besides its output. Each kind of viewer shows some of it.
import DokkuProtocol

protocol Viewer: AnyObject {
    func queued(_ event: QueuedEvent)
    func started(_ job: UInt64)
    /// Ctrl-C was pressed for the first or the second time.
    func cancelling(_ job: UInt64, time: Int)
    /// The output as it is to be written.
    func shown(_ bytes: [UInt8], _ stream: OutputStream) -> [UInt8]
    /// What is to be written for an event of `daemon:events`, whose line is `line`.
    func shown(_ event: HappeningEvent, _ line: ArraySlice<UInt8>) -> [UInt8]
    /// What is still to be written after all output of a command that ran.
    func ended() -> [UInt8]
    /// The connection has ended, or the daemon has: how many milliseconds to wait before the same is asked again; nil
    /// for never. `text` says what has happened.
    func interrupted(_ text: String) -> Int32?
    /// Whether it wants to know now how it is with the queue.
    var wantsQueue: Bool { get }
    /// How it is with the queue, in JSON. It may never come.
    func sees(queue: [UInt8])
    /// The window has another size, or the screen was another program's for a while.
    func resized()
    /// Milliseconds until `look` should be called; nil if there is no need.
    var nextLook: Int32? { get }
    /// Called after each wait if nothing waits to be written. Returns what is to be written.
    func look() -> [UInt8]
    /// Leaves the terminal as it was, because something else is written now, or nothing any more.
    func clear()
}

extension Viewer {
    func queued(_ event: QueuedEvent) {}
    func started(_ job: UInt64) {}
    func cancelling(_ job: UInt64, time: Int) {}
    func shown(_ bytes: [UInt8], _ stream: OutputStream) -> [UInt8] { bytes }
    func shown(_ event: HappeningEvent, _ line: ArraySlice<UInt8>) -> [UInt8] { [] }
    func ended() -> [UInt8] { [] }
    func interrupted(_ text: String) -> Int32? { nil }
    var wantsQueue: Bool { false }
    func sees(queue: [UInt8]) {}
    func resized() {}
    var nextLook: Int32? { nil }
    func look() -> [UInt8] { [] }
    func clear() {}
}
