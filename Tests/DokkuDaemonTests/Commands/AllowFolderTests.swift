// The files of lists: who may write them, and when they are read.
import DokkuProtocol
import Glibc
import TestSupport
import Testing

@testable import DokkuDaemon

@Suite struct AllowFolderTests {
    private let folder: Folder
    private let lists: AllowFolder

    init() throws {
        folder = try Folder()
        lists = AllowFolder(folder.path)
    }

    private func write(_ text: String, to name: String = "ci", mode: mode_t = 0o644) throws {
        try folder.write(text, to: name)
        chmod(folder.path(name), mode)
    }

    @Test func `a list is used from when it is read`() throws {
        try write("ps:restart blog\n")
        #expect(lists["ci"] == nil && lists.revision == 0)
        #expect(lists.use("ci") == [])
        #expect(lists["ci"]?.lines.count == 1 && lists.revision == 1)
    }

    @Test func `a wrong line is told with its file`() throws {
        try write("ps:restart blog\n* x\n...\n")
        let faults = lists.use("ci")
        #expect(
            faults.count == 2 && faults.allSatisfy { $0.hasPrefix("\(folder.path("ci")): line ") },
            "\(faults)")
        #expect(lists["ci"] == nil)
    }

    @Test func `a wrong list does not replace a right one`() throws {
        try write("ps:restart blog\n")
        try write("ps:stop blog\n", to: "other")
        #expect(lists.use("ci") == [] && lists.use("other") == [])
        let before = lists["ci"]
        try write("...\n")
        try write("ps:start blog\n", to: "other")
        #expect(lists.reread().count == 1)
        #expect(lists["ci"] == before && lists["other"]?.names("ps:start") == true)
        unlink(folder.path("ci"))
        #expect(lists.reread() == ["\(folder.path("ci")): No such file or directory"])
        #expect(lists["ci"] == before)
        try write("")
        #expect(lists.reread() == [] && lists["ci"]?.lines.isEmpty == true)
    }

    @Test(arguments: [0o664, 0o646, 0o666, 0o622] as [mode_t])
    func `a file that others may write is refused`(mode: mode_t) throws {
        try write("ps:restart blog\n", mode: mode)
        #expect(lists.use("ci") == ["\(folder.path("ci")): it can be written by others than its owner"])
    }

    @Test func `a folder that others may write is refused`() throws {
        try write("ps:restart blog\n")
        chmod(folder.path, 0o777)
        #expect(
            lists.use("ci") == ["\(folder.path("ci")): its folder can be written by others than its owner"])
        chmod(folder.path, 0o755)
        #expect(lists.use("ci") == [])
    }

    @Test(.enabled(if: geteuid() == 0, "only root can give a file away"))
    func `a file of another user is refused`() throws {
        try write("ps:restart blog\n")
        chown(folder.path("ci"), 65534, 0)
        #expect(lists.use("ci") == ["\(folder.path("ci")): it belongs to user 65534, not to root"])
        chown(folder.path("ci"), 0, 65534)
        #expect(lists.use("ci") == [])
        chown(folder.path, 65534, 0)
        #expect(lists.use("ci") == ["\(folder.path("ci")): its folder belongs to user 65534, not to root"])
    }

    @Test func `only a regular file is read`() throws {
        try write("ps:restart blog\n", to: "real")
        symlink("real", folder.path("link"))
        mkdir(folder.path("folder"), 0o755)
        mkfifo(folder.path("fifo"), 0o644)
        #expect(lists.use("link") == ["\(folder.path("link")): it is a symbolic link"])
        #expect(lists.use("folder") == ["\(folder.path("folder")): it is not a regular file"])
        #expect(lists.use("fifo") == ["\(folder.path("fifo")): it is not a regular file"])
        #expect(lists.use("none") == ["\(folder.path("none")): No such file or directory"])
    }

    @Test func `a file without end is not read whole`() throws {
        try write(String(repeating: "#", count: 1 << 20))
        #expect(lists.use("ci") == [])
        try write(String(repeating: "#", count: 1 << 20 + 1))
        #expect(lists.use("ci") == ["\(folder.path("ci")): it is longer than 1 MiB"])
    }
}
