// The input of a detached job, read back piece by piece while its process takes it.
import DokkuProtocol
import Glibc

final class KeptInput: InputReader {
    private let archive: Archive
    private let job: UInt64
    private var pieces = 0

    init(of job: UInt64, archive: Archive) {
        self.job = job
        self.archive = archive
    }

    func next() throws(SystemError) -> [UInt8] {
        do throws(Refusal) {
            let piece = try archive.input(of: job, from: pieces)
            pieces += 1
            return piece
        } catch {
            throw SystemError(call: "read the input of a detached job", number: EIO)
        }
    }
}
