// Who has a lock, from what the kernel lists.
import Glibc
import TestSupport
import Testing

@testable import DokkuDaemon

@Suite struct LockHolderTests {
    private let list = Array(
        """
        1: POSIX  ADVISORY  WRITE 811 00:19:77 0 EOF
        2: FLOCK  ADVISORY  WRITE 4242 00:19:77 0 EOF
        2: -> FLOCK  ADVISORY  WRITE 4243 00:19:77 0 EOF
        3: FLOCK  ADVISORY  WRITE 5000 103:01:78 0 EOF
        4: FLOCK  ADVISORY  READ  6000 00:20:79 0 EOF
        5: FLOCK  ADVISORY  READ  6001 00:21:79 0 EOF
        6: OFDLCK ADVISORY  WRITE -1 00:19:80 0 EOF

        """.utf8)

    @Test(
        arguments: [
            (0x19, 77, 4242), (0x10301, 78, 5000), (0x99, 77, 4242), (0x21, 79, 6001), (0x99, 79, nil),
            (0x19, 80, nil), (0x19, 81, nil),
        ] as [(dev_t, ino_t, pid_t?)])
    func `a holder is found by its file`(device: dev_t, inode: ino_t, pid: pid_t?) {
        #expect(LockHolder.pid(in: list, device: device, inode: inode) == pid)
    }

    @Test(
        arguments: [
            (0x19, 77, 4243), (0x99, 77, 4243), (0x10301, 78, nil), (0x19, 81, nil),
        ] as [(dev_t, ino_t, pid_t?)])
    func `a process that waits is found by the file`(device: dev_t, inode: ino_t, pid: pid_t?) {
        #expect(LockHolder.pid(in: list, device: device, inode: inode, waits: true) == pid)
    }

    @Test(arguments: ["", "x", "1:", "1: FLOCK ADVISORY WRITE x 0:0:0 0 EOF", "1: FLOCK A W 1 0:0 0 EOF"])
    func `a text that is no list names nobody`(text: String) {
        #expect(LockHolder.pid(in: Array(text.utf8), device: 0, inode: 0) == nil)
    }

    @Test func `this process is found by its lock`() throws {
        let folder = try Folder()
        let file = try Descriptor.open(folder.write("", to: "lock"), O_RDWR)
        let nobody = LockHolder.of(file)
        #expect(nobody == nil)
        try #require(flock(file.number, LOCK_EX) == 0)
        let found = LockHolder.of(file)
        let holder = try #require(found)
        #expect(holder.pid == getpid() && holder.name?.isEmpty == false)
        #expect("\(holder)".hasPrefix("process \(getpid()) ("))
    }

    @Test func `a holder that has ended is reported as ended`() {
        #expect("\(LockHolder(pid: 7, name: nil))" == "a process that process 7 has left behind")
        #expect("\(LockHolder(pid: 0, name: nil))" == "a process of another container")
    }
}
