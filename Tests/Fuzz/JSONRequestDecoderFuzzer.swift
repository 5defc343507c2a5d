// JSONRequestDecoder: nothing crashes it, what it accepts can be run, and what is looked for in broken lines is
// found just so in whole ones.

@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ data: UnsafePointer<UInt8>?, _ size: Int) -> CInt {
    let line = Array(UnsafeBufferPointer(start: data, count: size))
    do {
        let request = try JSONRequestDecoder.decode(line[...])
        require(!request.command.isEmpty, "no command")
        for index in 0..<request.command.count {
            require(!request.command[index].contains(0), "NUL in a word")
        }
        if let timeout = request.timeout {
            require(timeout >= .milliseconds(1) && timeout <= .seconds(1_000_000_000), "timeout \(timeout)")
        }
        require(!(request.stripsAnsi && request.encoding == .base64), "base64 is not text")
        // A key may be written with escapes, which only the parser reads; in values they are no difference.
        if line.contains(UInt8(ascii: "\\")) { return 0 }
        let fault = JSONSalvage.fault(of: line.span)
        require(fault.id == request.id, "\(String(describing: fault.id))")
        require(fault.isStreamed == request.isStreamed, "stream \(fault.isStreamed)")
        var following = 0
        if case .following(let count) = request.input { following = count }
        require(fault.followingBytes == following, "\(fault.followingBytes) bytes")
    } catch {
        require(error.refusal.code == .invalidRequest && !error.refusal.text.isEmpty, "\(error)")
        require(error.followingBytes >= 0, "\(error.followingBytes) bytes")
        if case .number(let number) = error.id { require(RequestID.numbers.contains(number), "\(number)") }
    }
    return 0
}
