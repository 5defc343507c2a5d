// A file that was opened for a command.

/// A file that a command's input or output was redirected to, shared by the request and the run.
final class OpenFile {
    let descriptor: Descriptor
    init(_ descriptor: consuming Descriptor) { self.descriptor = descriptor }
}
