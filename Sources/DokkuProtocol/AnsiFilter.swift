// Removes the escape sequences of ECMA-48 and ECMA-35 from a stream of bytes, however it is cut into chunks. Bytes
// from 0x80 to 0x9F stay: in UTF-8 they are parts of characters, not controls.

import CJansson

/// Its only state is the position within a sequence. An invalid sequence is dropped up to the byte that makes it
/// invalid; that byte stays.
public struct AnsiFilter {
    private enum State {
        case text
        /// After ESC.
        case escape
        /// After ESC and intermediate bytes: `ESC (`.
        case intermediate
        /// After `ESC [`, among the parameter bytes.
        case control
        /// After `ESC [`, among the intermediate bytes before the final one.
        case controlIntermediate
        /// In an operating system command, which BEL also ends.
        case command
        /// In a device control string, start of string, privacy message or application program command.
        case string
    }

    private var state = State.text

    /// `input` as a whole, without its escape sequences. No sequence takes a newline with it.
    public static func text(of input: [UInt8]) -> [UInt8] {
        var filter = AnsiFilter()
        var text: [UInt8] = []
        text.reserveCapacity(input.count)
        filter.filter(input.span) { run in run.withUnsafeBufferPointer { text.append(contentsOf: $0) } }
        return text
    }

    /// Calls `emit` with each run of text in `input`, in order. No run is empty.
    mutating func filter(_ input: Span<UInt8>, _ emit: (Span<UInt8>) -> Void) {
        var index = 0
        while index < input.count {
            if state == .text {
                let start = index
                index = input.index(ofByte: Self.escape, from: index)
                if start < index { emit(input.extracting(start..<index)) }
                guard index < input.count else { return }
                state = .escape
                index += 1
            } else {
                let (next, takesByte) = Self.step(state, input[index])
                state = next
                if takesByte { index += 1 }
            }
        }
    }

    /// The end of the stream: drops an unfinished sequence and resets the filter.
    mutating func finish() { state = .text }

    private static let escape: UInt8 = 0x1B

    /// The state after `byte`, and whether the byte belongs to the sequence.
    private static func step(_ state: State, _ byte: UInt8) -> (State, takesByte: Bool) {
        // ESC starts a new sequence in every state; `ESC \` also terminates strings.
        if byte == escape { return (.escape, true) }
        switch (state, byte) {
        case (.text, _): return (.text, false)

        case (.escape, UInt8(ascii: "[")): return (.control, true)
        case (.escape, UInt8(ascii: "]")): return (.command, true)
        case (.escape, UInt8(ascii: "P")), (.escape, UInt8(ascii: "X")), (.escape, UInt8(ascii: "^")),
            (.escape, UInt8(ascii: "_")):
            return (.string, true)
        case (.escape, 0x20...0x2F), (.intermediate, 0x20...0x2F): return (.intermediate, true)
        case (.escape, 0x30...0x7E), (.intermediate, 0x30...0x7E): return (.text, true)
        case (.escape, _), (.intermediate, _): return (.text, false)

        case (.control, 0x30...0x3F): return (.control, true)
        case (.control, 0x20...0x2F), (.controlIntermediate, 0x20...0x2F): return (.controlIntermediate, true)
        case (.control, 0x40...0x7E), (.controlIntermediate, 0x40...0x7E): return (.text, true)
        case (.control, _), (.controlIntermediate, _): return (.text, false)

        case (.command, 0x07): return (.text, true)
        // An unterminated string must not swallow the lines after it.
        case (.command, UInt8(ascii: "\n")), (.string, UInt8(ascii: "\n")): return (.text, false)
        case (.command, _), (.string, _): return (state, true)
        }
    }
}

extension Span<UInt8> {
    /// The index of the first `byte` at or after `start`; `count` if there is none.
    public func index(ofByte byte: UInt8, from start: Int) -> Int {
        extracting(start...).withUnsafeBufferPointer { bytes in
            guard let base = bytes.baseAddress, let found = bytes_find(base, byte, bytes.count) else {
                return count
            }
            return start + (found - UnsafeRawPointer(base))
        }
    }
}
