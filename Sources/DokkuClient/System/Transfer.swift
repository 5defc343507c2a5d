// Bytes in and out of descriptors: one system call each, repeated if a signal interrupts it.
import CClientShim
import Glibc

enum Transfer {
    /// Writes some of the bytes; returns how many. May wait.
    static func write(_ bytes: ArraySlice<UInt8>, to descriptor: Int32) throws(SystemFailure) -> Int {
        try retrying { bytes.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) } }
    }

    /// Sends what fits into the socket without waiting; returns how many bytes.
    static func send(_ bytes: ArraySlice<UInt8>, to socket: Int32) throws(SystemFailure) -> Int {
        let flags = Int32(MSG_NOSIGNAL) | Int32(MSG_DONTWAIT)
        return try retrying {
            bytes.withUnsafeBytes { Glibc.send(socket, $0.baseAddress, $0.count, flags) }
        }
    }

    /// Sends some of the bytes, and with their first one the descriptors (SCM_RIGHTS, unix(7)).
    static func send(
        _ bytes: [UInt8], with descriptors: [Int32], to socket: Int32
    ) throws(SystemFailure) -> Int {
        try retrying { client_send(socket, bytes, bytes.count, descriptors, descriptors.count) }
    }

    /// Reads up to so many bytes; none at the end. May wait, unless `flags` of recv(2) forbid it.
    static func read(_ descriptor: Int32, _ count: Int) throws(SystemFailure) -> [UInt8] {
        try reading(count) { Glibc.read(descriptor, $0, count) }
    }

    /// Takes up to so many bytes of what has come to the socket; none at the end.
    static func receive(_ socket: Int32, _ count: Int) throws(SystemFailure) -> [UInt8] {
        try reading(count) { recv(socket, $0, count, Int32(MSG_DONTWAIT)) }
    }

    private static func reading(
        _ count: Int, _ call: (UnsafeMutableRawPointer?) -> Int
    ) throws(SystemFailure) -> [UInt8] {
        var failure: SystemFailure?
        let bytes = [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
            do throws(SystemFailure) {
                filled = try retrying { call(buffer.baseAddress) }
            } catch {
                failure = error
            }
        }
        if let failure { throw failure }
        return bytes
    }
}
