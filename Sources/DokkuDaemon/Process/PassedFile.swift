// A file that a client has handed over, until the command has its own copy of it.
import CEpollShim
import Glibc

final class PassedFile {
    enum Kind {
        case regular
        case null
        /// What a program can be talked to through: a terminal, a pipe, a socket. Whoever is at the other end may keep
        /// a reader or a writer waiting.
        case stream
    }

    let kind: Kind
    /// Whether its client may read it, and not only write or name it (open(2), O_PATH).
    let isReadable: Bool
    /// Whether it can be asked for a terminal's settings without waiting.
    let isDevice: Bool
    private var descriptor: Descriptor?
    private let closer: FileCloser
    /// Its place in the budget of descriptors.
    private var place: Reservation?

    init(_ descriptor: consuming Descriptor, closer: FileCloser) {
        let found = shim_kind_of_file(descriptor.number)
        let flags = fcntl(descriptor.number, F_GETFL)
        isReadable = flags & shim_path_only == 0 && flags & O_ACCMODE != O_WRONLY
        isDevice = found == shim_kind_pty || found == shim_kind_device
        switch found {
        case shim_kind_regular: kind = .regular
        case shim_kind_null: kind = .null
        default: kind = .stream
        }
        self.descriptor = consume descriptor
        self.closer = closer
    }

    fileprivate func hold(_ place: Reservation) { self.place = place }

    /// -1 if it is closed.
    var number: Int32 { descriptor?.number ?? -1 }

    /// The next part of it, up to `limit` bytes; empty at its end.
    func read(_ limit: Int) throws(SystemError) -> [UInt8] {
        switch descriptor {
        case .some(let descriptor): try descriptor.readStart(limit)
        case .none: []
        }
    }

    /// The daemon needs it no more. A child that was started with it has its own.
    func close() {
        if let descriptor = descriptor.take() { closer.close(descriptor, place) }
        place = nil
    }

    deinit { close() }
}

/// The standard input, output and error of a client.
struct PassedStreams {
    let input: PassedFile
    let output: PassedFile
    let errors: PassedFile

    /// Nil if they are not three.
    init?(_ files: [PassedFile]) {
        guard files.count == 3 else { return nil }
        (input, output, errors) = (files[0], files[1], files[2])
    }

    /// Gives them their places in the budget, which each of them keeps until it is closed.
    func hold(_ places: Reservation) { for file in [input, output, errors] { file.hold(places) } }
}
