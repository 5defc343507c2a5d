// What an earlier daemon has left to this one.
import Glibc

/// A command that an earlier daemon has accepted, and that waits.
struct AcceptedCommand {
    let number: UInt64
    let command: Command
    let peer: Peer
    let date: time_t
    let observer: any JobObserver
}
