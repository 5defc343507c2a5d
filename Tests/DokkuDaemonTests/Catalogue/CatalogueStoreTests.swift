// The kept catalogue: what comes back, and what is taken for none.
import Glibc
import TestSupport
import Testing

@testable import DokkuDaemon

@Suite struct CatalogueStoreTests {
    private let folder: Folder
    private let store: CatalogueStore
    private let catalogue = Catalogue(listed: ["apps:list", "postgres:create", "apps:create"])
    private let program = "/usr/bin/dokku"

    init() throws {
        folder = try Folder()
        try folder.makeFolder("state")
        try folder.makeFolder("enabled")
        try folder.age("enabled")
        store = CatalogueStore(folder: folder.path("state"), pluginFolders: [folder.path("enabled")])
    }

    private func keep() { store.save(catalogue, date: 1_700_000_000, program: program, stamp: store.stamp()) }

    private func load(program other: String? = nil) -> (catalogue: Catalogue, date: time_t)? {
        store.load(program: other ?? program, stamp: store.stamp())
    }

    @Test func `a kept catalogue comes back as it was`() throws {
        #expect(load() == nil)
        keep()
        let kept = try #require(load())
        #expect(kept.catalogue == catalogue && kept.date == 1_700_000_000)
        #expect(kept.catalogue.listedNames == catalogue.listedNames)
        #expect(try folder.status("state/catalogue").st_mode & 0o777 & ~0o640 == 0)
        #expect(!folder.has("state/catalogue.new"))
    }

    @Test func `a catalogue of another program is none`() {
        keep()
        #expect(load(program: "/usr/local/bin/dokku") == nil)
        #expect(load() != nil)
    }

    @Test func `a plugin that came or went makes the catalogue old`() throws {
        keep()
        let before = store.stamp()
        try folder.makeFolder("enabled/redis")
        #expect(store.stamp() != before)
        #expect(load() == nil)
        try folder.age("enabled")
        keep()
        #expect(load() != nil)
        rmdir(folder.path("enabled/redis"))
        #expect(load() == nil)
    }

    @Test func `a newer catalogue takes the place of the one before`() throws {
        keep()
        let newer = Catalogue(listed: ["redis:list"])
        store.save(newer, date: 1_800_000_000, program: program, stamp: store.stamp())
        let kept = try #require(load())
        #expect(kept.catalogue == newer && kept.date == 1_800_000_000)
    }

    /// Each makes another text of the right one.
    private static let faults: [@Sendable (String) -> String] = [
        { _ in "" },
        { $0.replacing("catalogue 1\n", with: "catalogue 2\n") },
        { $0.replacing("1700000000", with: "yesterday") },
        { String($0.dropLast()) },
        { $0.split(separator: "\n").prefix(3).joined(separator: "\n") + "\n" },
        { "\n" + $0 },
        { $0 + String(repeating: "a\n", count: 1 << 19) },
    ]

    @Test(arguments: faults.indices) func `a file that is cut or wrong is no catalogue`(fault: Int) throws {
        keep()
        let text = try folder.read("state/catalogue")
        try folder.write(Self.faults[fault](text), to: "state/catalogue")
        #expect(load() == nil)
        try folder.write(text, to: "state/catalogue")
        #expect(load() != nil)
    }

    @Test func `a file that is not UTF-8 is no catalogue`() throws {
        keep()
        let bytes = try folder.bytes("state/catalogue")
        let file = try Descriptor.open(folder.path("state/catalogue"), O_WRONLY | O_TRUNC)
        try file.writeAll((bytes.dropLast() + [0xFF, 0x0A])[...])
        #expect(load() == nil)
    }

    @Test func `a link or a FIFO in the file's place is not read`() throws {
        keep()
        rename(folder.path("state/catalogue"), folder.path("elsewhere"))
        symlink(folder.path("elsewhere"), folder.path("state/catalogue"))
        #expect(load() == nil)
        unlink(folder.path("state/catalogue"))
        mkfifo(folder.path("state/catalogue"), 0o600)
        #expect(load() == nil)
    }

    @Test func `a link in the new file's place is not written through`() throws {
        try folder.write("as it was", to: "precious")
        symlink(folder.path("precious"), folder.path("state/catalogue.new"))
        keep()
        #expect(try folder.read("precious") == "as it was")
        // The link is away, and the next catalogue is kept.
        keep()
        #expect(load() != nil)
    }

    @Test func `a catalogue that cannot be kept leaves the one before`() throws {
        keep()
        try folder.makeFolder("state/catalogue.new")
        store.save(Catalogue(listed: ["x"]), date: 1, program: program, stamp: store.stamp())
        #expect(load()?.catalogue == catalogue)
    }

    @Test func `a missing folder keeps nothing and harms nothing`() {
        let nowhere = CatalogueStore(folder: folder.path("none"), pluginFolders: [])
        nowhere.save(catalogue, date: 1, program: program, stamp: [])
        #expect(nowhere.load(program: program, stamp: []) == nil)
        #expect(!folder.has("none"))
    }
}
