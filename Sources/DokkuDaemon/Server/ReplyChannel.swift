// One output of a command on its way into a reply: encoded as it arrives, and kept if the reply comes at the end.
import DokkuProtocol

final class ReplyChannel {
    private var text: OutputEncoder?
    private var base64: Base64Encoder?
    private var spool: Spool?
    /// The end of what was kept is missing.
    private var isCut = false

    init(_ encoder: OutputEncoder) { text = encoder }

    init(_ encoder: Base64Encoder) { base64 = encoder }

    /// Appends output to a line at once.
    func encode(_ bytes: Span<UInt8>, from stream: OutputStream, into line: inout [UInt8]) {
        text?.encode(bytes, from: stream, into: &line)
        base64?.encode(bytes, into: &line)
    }

    /// Appends the rest at the output's end, and resets the channel.
    func finish(into line: inout [UInt8]) {
        text?.finish(into: &line)
        base64?.finish(into: &line)
    }

    /// Keeps output for the end.
    func keep(
        _ bytes: Span<UInt8>, from stream: OutputStream, _ account: SpoolAccount
    ) throws(Spool.Failure) {
        let spool = spool ?? Spool(account: account, allowance: SpoolAccount.replyAllowance)
        self.spool = spool
        do throws(Spool.Failure) {
            try writeRun(to: spool) { $0.encode(bytes, from: stream, into: &$1) }
            try spool.append { encode(bytes, from: stream, into: &$0) }
        } catch {
            isCut = true
            throw error
        }
    }

    /// Everything that was kept: complete, or up to a cut. `didCut` is called if the cut happens only now.
    func finishKept(_ didCut: (Spool.Failure) -> Void) -> Spool? {
        guard let spool, !isCut else { return spool }
        do throws(Spool.Failure) {
            try writeRun(to: spool) { $0.finish(into: &$1) }
            _ = spool.keep { finish(into: &$0) }
        } catch {
            didCut(error)
        }
        return spool
    }

    private func writeRun(
        to spool: Spool, before step: (inout OutputEncoder, inout [UInt8]) -> Void
    ) throws(Spool.Failure) {
        var goesOn = text != nil
        while goesOn {
            goesOn = false
            try spool.append { goesOn = text?.writeRun(before: step, into: &$0) ?? false }
        }
    }
}
