// The lock file, as scripts outside see it.
import CEpollShim
import Foundation
import Glibc
import TestSupport
import Testing

@testable import DokkuDaemon

@Suite struct CommandLockTests {
    private let folder: Folder
    private let lock: CommandLock
    private let path: String

    init() throws {
        folder = try Folder()
        path = folder.path("lock")
        lock = CommandLock(path: path)
    }

    private func opener() throws -> Descriptor { try Descriptor.open(path, O_RDWR) }

    /// True where a script outside gets the lock.
    private func isFree() throws -> Bool {
        let file = try opener()
        return shim_lock(file.number) == 0
    }

    @Test func `a lock is held until it is released`() throws {
        #expect(lock.number == -1)
        #expect(try lock.acquire())
        #expect(lock.number >= 0)
        #expect(try !isFree())
        lock.release()
        #expect(lock.number == -1)
        #expect(try isFree())
        #expect(try lock.acquire())
    }

    @Test func `somebody else's lock is waited for`() throws {
        try folder.write("", to: "lock")
        do {
            let other = try opener()
            try #require(shim_lock(other.number) == 0)
            #expect(try !lock.acquire())
            #expect(try !lock.acquire())
            #expect(lock.number == -1)
        }
        #expect(try lock.acquire())
    }

    @Test func `a release holds for all who inherited the lock`() throws {
        #expect(try lock.acquire())
        // As a child has it: another number for the same open file.
        let inherited = Descriptor(owning: dup(lock.number))
        lock.release()
        #expect(try isFree())
        #expect(inherited.number >= 0)
    }

    @Test func `a crash leaves the lock to the child`() throws {
        var crashing: CommandLock? = CommandLock(path: path)
        #expect(try crashing?.acquire() == true)
        do {
            let inherited = Descriptor(owning: dup(try #require(crashing?.number)))
            crashing = nil
            #expect(try !lock.acquire())
            #expect(inherited.number >= 0)
        }
        #expect(try lock.acquire())
    }

    @Test func `the lock reaches no child by itself`() throws {
        #expect(try lock.acquire())
        #expect(fcntl(lock.number, F_GETFD) == FD_CLOEXEC)
    }

    @Test func `a new lock file is not for everybody`() throws {
        #expect(try lock.acquire())
        // What a strict file mode mask takes away is not ours to give.
        let mode = try folder.status("lock").st_mode & 0o7777
        #expect(mode & 0o600 == 0o600)
        #expect(mode & ~0o640 == 0)
    }

    @Test func `the list is written in place`() throws {
        try folder.write("a longer list of what was there before\n", to: "lock")
        let before = try folder.status("lock").st_ino
        #expect(try lock.acquire())
        try lock.write(Array("apps:create\napps:list\n".utf8))
        #expect(try folder.read("lock") == "apps:create\napps:list\n")
        #expect(try folder.status("lock").st_ino == before)
        #expect(try !isFree())
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == ["lock"])
    }

    @Test func `a symbolic link is refused`() throws {
        let target = try folder.write("precious", to: "target")
        try #require(symlink(target, path) == 0)
        let error = #expect(throws: SystemError.self) { _ = try lock.acquire() }
        #expect(error?.number == ELOOP)
        #expect("\(try #require(error))".hasPrefix("open the lock file:"))
        #expect(throws: SystemError.self) { try lock.write(Array("x".utf8)) }
        #expect(try folder.read("target") == "precious")
    }

    @Test func `a missing folder is an error`() throws {
        let lock = CommandLock(path: folder.path("none/lock"))
        let error = #expect(throws: SystemError.self) { _ = try lock.acquire() }
        #expect(error?.number == ENOENT)
    }

    @Test func `a pipe in the lock's place does not block`() throws {
        try #require(mkfifo(path, 0o600) == 0)
        #expect(try lock.acquire())
        #expect(throws: SystemError.self) { try lock.write(Array("x".utf8)) }
    }
}
