// JSONRequestDecoder: nothing crashes it, what it accepts can be run, and what is looked for in broken lines is
// found just so in whole ones.

@testable import DokkuDaemon
@testable import DokkuProtocol

func fuzzJSONRequestDecoder(_ line: [UInt8]) throws {
    let request: JSONRequest
    do throws(JSONRequest.Fault) {
        request = try JSONRequestDecoder.decode(line[...])
    } catch {
        return try check(error)
    }
    try require(!request.command.isEmpty, "no command")
    for index in 0..<request.command.count {
        try require(!request.command[index].contains(0), "NUL in a word")
    }
    if let timeout = request.timeout {
        try require(timeout >= .milliseconds(1) && timeout <= .seconds(1_000_000_000), "timeout \(timeout)")
    }
    try require(!(request.stripsAnsi && request.encoding == .base64), "base64 is not text")
    if let terminal = request.terminal {
        try require(
            request.handsOverDescriptors && JSONRequest.isTerminal(terminal.utf8), "terminal \(terminal)")
    }
    if request.handsOverDescriptors {
        try require(!request.isDetached, "descriptors of a detached job")
        try require(request.input == nil || request.input == .chunks, "two inputs")
    }
    // A key may be written with escapes, which only the parser reads; in values they are no difference.
    if line.contains(UInt8(ascii: "\\")) { return }
    let fault = JSONSalvage.fault(of: line.span)
    try require(fault.id == request.id, "\(String(describing: fault.id))")
    try require(fault.isStreamed == request.isStreamed, "stream \(fault.isStreamed)")
    var following = JSONRequest.Following.nothing
    if case .following(let count) = request.input, count > 0 { following = .bytes(count) }
    // What is found anywhere in a broken line may be a word of the command.
    let isLength = fault.following == following || fault.following == .unknown && following == .nothing
    try require(isLength, "\(fault.following)")
}

private func check(_ fault: JSONRequest.Fault) throws {
    try require(fault.refusal.code == .invalidRequest && !fault.refusal.text.isEmpty, "\(fault)")
    if case .bytes(let count) = fault.following { try require(count > 0, "\(count) bytes") }
    if case .number(let number) = fault.id { try require(RequestID.numbers.contains(number), "\(number)") }
}
