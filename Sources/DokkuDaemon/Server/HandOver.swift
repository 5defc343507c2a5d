// What a client hands over with a request: its standard input, output and error.
import DokkuProtocol

/// What has come with the first byte of a line.
enum HandOver {
    case nothing
    case streams(PassedStreams)
    /// Something that is not taken.
    case refused(Refusal)

    var isNothing: Bool { if case .nothing = self { true } else { false } }
}

extension Refusal {
    /// Descriptors came with a line that does not announce them.
    static let uninvited = Refusal.invalid(
        "Descriptors came, and only a JSON request with \"descriptors\":true takes them")
    static let noDescriptorsForDetached = Refusal.invalid("A detached job takes no descriptors")
    /// What came can be neither used nor skipped.
    static let wrongDescriptors = Refusal.invalid(
        "Exactly three descriptors can come, and only with the first byte of a request; nothing behind these was read"
    )
    static let noRoomForDescriptors = Refusal(
        code: .queueFull, text: "Too many descriptors wait, and these were closed")
}
