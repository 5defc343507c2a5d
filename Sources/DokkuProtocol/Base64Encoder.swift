// Encodes bytes in base64 (RFC 4648, section 4, padded), chunk by chunk.

/// Holds up to two bytes until their group of three is complete.
public struct Base64Encoder {
    private var held: UInt32 = 0
    private var heldCount = 0

    public init() {}

    /// Appends all complete groups to `output`.
    public mutating func encode(_ input: Span<UInt8>, into output: inout [UInt8]) {
        var index = 0
        while heldCount > 0, index < input.count {
            held = held << 8 | UInt32(input[index])
            heldCount += 1
            index += 1
            if heldCount == 3 {
                for shift in [18, 12, 6, 0] as [UInt32] { output.append(Self.character(held >> shift)) }
                (held, heldCount) = (0, 0)
            }
        }
        let groups = (input.count - index) / 3
        Self.append(groups: groups, of: input.extracting(index...), to: &output)
        index += groups * 3
        while index < input.count {
            held = held << 8 | UInt32(input[index])
            heldCount += 1
            index += 1
        }
    }

    /// Plain pointers are as fast as checked access in a release build, and many times faster in a debug build.
    private static func append(groups: Int, of input: Span<UInt8>, to output: inout [UInt8]) {
        guard groups > 0 else { return }
        withUnsafeTemporaryAllocation(of: UInt8.self, capacity: groups * 4) { text in
            input.withUnsafeBufferPointer { input in
                digits.withUnsafeBufferPointer { digits in
                    guard var from = input.baseAddress, var to = text.baseAddress,
                        let digits = digits.baseAddress
                    else { return }
                    let end = from + groups * 3
                    while from < end {
                        let group = UInt32(from[0]) &<< 16 | UInt32(from[1]) &<< 8 | UInt32(from[2])
                        to[0] = digits[Int(group &>> 18)]
                        to[1] = digits[Int(group &>> 12 & 0x3F)]
                        to[2] = digits[Int(group &>> 6 & 0x3F)]
                        to[3] = digits[Int(group & 0x3F)]
                        from += 3
                        to += 4
                    }
                }
            }
            output.append(contentsOf: UnsafeBufferPointer(text))
        }
    }

    /// The end of the stream: appends the last group with its padding and resets the encoder.
    public mutating func finish(into output: inout [UInt8]) {
        switch heldCount {
        case 1:
            output.append(Self.character(held >> 2))
            output.append(Self.character(held << 4))
            output.append(contentsOf: [UInt8(ascii: "="), UInt8(ascii: "=")])
        case 2:
            for shift in [10, 4] as [UInt32] { output.append(Self.character(held >> shift)) }
            output.append(Self.character(held << 2))
            output.append(UInt8(ascii: "="))
        default: break
        }
        (held, heldCount) = (0, 0)
    }

    static let digits = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)

    private static func character(_ bits: UInt32) -> UInt8 { digits[Int(bits & 0x3F)] }
}
