// The catalogue that is read from what `dokku help --all` wrote: names that can be called, each once, and a line that is
// right is found, whatever stands before it.

@testable import DokkuDaemon

func fuzzCatalogue(_ bytes: [UInt8]) throws {
    if let catalogue = Catalogue(helpOutput: bytes) {
        try require(!catalogue.listedNames.isEmpty, "an empty one")
        try checkNames(of: catalogue)
        try require(
            Catalogue(listed: catalogue.listedNames) == catalogue, "it is another one when it was kept")
        let text = catalogue.listedNames.map { $0 + "\n" }.joined()
        try require(Array(text.utf8) == catalogue.lockFileText, "the lock file has \(catalogue.lockFileText)")
    }
    let more = bytes + Array("\n    zz:fuzzed <app>, --flag    Does something\n".utf8)
    guard let catalogue = Catalogue(helpOutput: more) else { throw Finding("a command is not found") }
    try require(
        catalogue.contains("zz:fuzzed") && catalogue.listedNames.contains("zz:fuzzed"), "not in there")
}

/// No name can lead anywhere but to a command.
func checkNames(of catalogue: Catalogue) throws {
    try require(Set(catalogue.listedNames).count == catalogue.listedNames.count, "a name stands there twice")
    for name in catalogue.listedNames {
        let parts = name.split(separator: ":", omittingEmptySubsequences: false)
        let isRight = parts.allSatisfy { part in
            !part.isEmpty && part.first != "."
                && part.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || "_-.".contains($0)) }
        }
        try require(
            isRight && !name.hasPrefix("-") && !name.hasPrefix("git-") && name.utf8.count <= 255, name)
        try require(catalogue.contains(name), "\(name) is listed, and not known")
    }
}
