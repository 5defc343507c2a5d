// The kept catalogue: any file gives a catalogue that can be used and kept again, or none. The first byte says whether
// the file begins as a right one does.

@testable import DokkuDaemon

func fuzzCatalogueStore(_ bytes: [UInt8]) throws {
    let input = FuzzInput(bytes, choices: 1)
    let folder = try FuzzFolder()
    let store = CatalogueStore(folder: folder.path, pluginFolders: [folder.path + "/none"])
    let stamp = store.stamp()
    let head = Array("dokku-daemon catalogue 1\n/usr/bin/dokku \(stamp)\n1700000000\n".utf8)
    let hasHead = input.choices[0] & 1 == 1
    try folder.write((hasHead ? head : []) + input.content, to: "catalogue")
    guard let kept = store.load(program: "/usr/bin/dokku", stamp: stamp) else { return }
    try require(hasHead || input.content.starts(with: head.prefix(24)), "it is none of ours")
    try require(!hasHead || kept.date == 1_700_000_000, "it is of \(kept.date)")
    try checkNames(of: kept.catalogue)
    if kept.catalogue.listedNames.count < 2 { return }
    store.save(kept.catalogue, date: kept.date, program: "/usr/bin/dokku", stamp: stamp)
    let again = store.load(program: "/usr/bin/dokku", stamp: stamp)
    try require(again?.catalogue == kept.catalogue && again?.date == kept.date, "it is kept as another one")
}
