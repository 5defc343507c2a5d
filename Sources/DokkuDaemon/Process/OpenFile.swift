// A file that was opened for a command.

/// A file that a command was redirected to or from, shared by the request and the run.
final class OpenFile {
    let descriptor: Descriptor
    init(_ descriptor: consuming Descriptor) { self.descriptor = descriptor }
}
