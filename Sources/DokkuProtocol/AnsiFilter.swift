// Takes the escape sequences of ECMA-48 and ECMA-35 out of a stream of bytes, however it is cut into chunks.
// Bytes from 0x80 to 0x9F stay: in UTF-8 they are parts of characters, not controls.

import CJansson

/// Remembers only where in a sequence it stands. What looked like a sequence and is none loses its introducer;
/// the byte that showed it stays.
struct AnsiFilter {
    private enum State {
        case text
        /// Behind ESC.
        case escape
        /// Behind ESC and intermediate bytes: `ESC (`.
        case intermediate
        /// Behind `ESC [`, among parameters.
        case control
        /// Behind `ESC [`, among the intermediate bytes before the final one.
        case controlIntermediate
        /// In an operating system command, which BEL ends too.
        case command
        /// In a device control string, start of string, privacy message or application program command.
        case string
    }

    private var state = State.text

    /// Calls `emit` with the parts of `input` that are text, in order, none of them empty.
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

    /// The end of the stream: an unfinished sequence is dropped, and the filter is as new.
    mutating func finish() { state = .text }

    private static let escape: UInt8 = 0x1B

    /// The state behind `byte`, and whether the byte belongs to the sequence.
    private static func step(_ state: State, _ byte: UInt8) -> (State, takesByte: Bool) {
        // ESC begins a sequence anew wherever it stands, and `ESC \` is the terminator of strings.
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
        // A string that nobody ended must not take the lines after it along.
        case (.command, UInt8(ascii: "\n")), (.string, UInt8(ascii: "\n")): return (.text, false)
        case (.command, _), (.string, _): return (state, true)
        }
    }
}

extension Span<UInt8> {
    /// Where `byte` stands first at or behind `start`; `count` where it does not.
    public func index(ofByte byte: UInt8, from start: Int) -> Int {
        extracting(start...).withUnsafeBufferPointer { bytes in
            guard let base = bytes.baseAddress, let found = bytes_find(base, byte, bytes.count) else {
                return count
            }
            return start + (found - UnsafeRawPointer(base))
        }
    }
}
