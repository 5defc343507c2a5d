// Writes an input of unknown length, as `RequestReader` reads it after the daemon has asked for it.

public enum InputChunk {
    /// Appends a part of the input: its size, a newline and its bytes. No bytes are no part, because the size 0 is the
    /// end.
    public static func append(_ bytes: Span<UInt8>, to output: inout [UInt8]) {
        guard !bytes.isEmpty else { return }
        output.append(decimal: bytes.count)
        output.append("\n")
        bytes.withUnsafeBufferPointer { output.append(contentsOf: $0) }
    }

    /// Appends the end of the input. The next request may follow it.
    public static func appendEnd(to output: inout [UInt8]) { output.append("0\n") }
}
