// Listening sockets that systemd has made and passes to the daemon.
import CEpollShim
import DokkuProtocol
import Glibc

enum Activation {
    /// Takes over what systemd passes, sd_listen_fds_with_names(3), if it is for this process.
    static func takeOver() throws(StartFailure) -> (sockets: [ListeningSocket], faults: [String]) {
        var names: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?
        let count = sd_listen_fds_with_names(1, &names)
        guard count >= 0 else {
            throw .listening("the sockets from systemd cannot be read: \(String(cString: strerror(-count)))")
        }
        defer {
            for index in 0..<Int(count) { free(names?[index]) }
            free(names)
        }
        return try takeOver(
            (0..<count).map { index in
                (SD_LISTEN_FDS_START + index, names?[Int(index)].map { String(cString: $0) } ?? "")
            })
    }

    /// Takes over descriptors with their names: the listening unix stream sockets, and what is wrong with these and
    /// with anything else. Fails if there is nothing to listen on but something is wrong.
    static func takeOver(
        _ descriptors: [(number: Int32, name: String)]
    ) throws(StartFailure) -> (sockets: [ListeningSocket], faults: [String]) {
        var faults: [String] = []
        let sockets = descriptors.compactMap { takeOver($0.number, named: $0.name, &faults) }
        if sockets.isEmpty, !faults.isEmpty { throw .listening(faults.joined(separator: "; ")) }
        return (sockets, faults)
    }

    private static func takeOver(_ number: Int32, named name: String, _ faults: inout [String])
        -> ListeningSocket?
    {
        let descriptor = Descriptor(owning: number)
        guard sd_is_socket(number, AF_UNIX, Int32(SOCK_STREAM.rawValue), 1) > 0 else {
            faults.append(
                "descriptor \(number) (\(name)) from systemd is not a listening unix stream socket")
            return nil
        }
        _ = shim_set_nonblocking(number)
        var path = [CChar](repeating: 0, count: 128)
        _ = shim_bound_path(number, &path, path.count)
        let text = path.withUnsafeBufferPointer { buffer in
            String(decoding: buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
        }
        let rules: ListenerRules
        do throws(ListenerRules.Fault) {
            rules = try ListenerRules(parsing: name)
        } catch {
            faults.append(
                "the socket \(text) has FileDescriptorName=\(name), and \(error.text)")
            // The rules that are known decide in which form its clients get the error.
            rules = error.known
        }
        return ListeningSocket(descriptor, name: text, rules: rules)
    }
}
