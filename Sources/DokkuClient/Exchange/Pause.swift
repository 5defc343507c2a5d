// The time until a daemon that has gone is looked for again.
import Glibc

enum Pause {
    /// Waits so long, and until what the viewer shows meanwhile is written. Returns a signal that is to end the client, if one
    /// has come.
    static func wait(_ milliseconds: Int32, _ viewer: Viewer, _ signals: borrowing Signals) -> Int32? {
        let end = Clock.now + Int64(milliseconds)
        var output = OwnOutput()
        while Clock.now < end || !output.isEmpty {
            var poll = Poll()
            poll.wantsRead(signals.descriptor)
            output.addInterest(to: &poll)
            let rest = Int32(clamping: max(0, end - Clock.now))
            poll.wait(milliseconds: output.isEmpty ? min(rest, viewer.nextLook ?? rest) : nil)
            while let signal = signals.next() {
                switch signal {
                case SIGWINCH: viewer.resized()
                case SIGTSTP:
                    viewer.clear()
                    Signals.stop()
                    viewer.resized()
                default: return signal
                }
            }
            if output.isEmpty { output.append(viewer.look(), to: .standardOutput) }
            do throws(OwnOutput.Trouble) {
                try output.write(after: poll)
            } catch {
                // What cannot be written is gone, as in a session.
                if error == .readerHasLeft { return SIGPIPE }
            }
        }
        return nil
    }
}
