// What a read-only socket lets through, whatever the words: a command of the table that may run there, and nothing in
// any word that could name a file, a shell's business, or a flag in the place of a value. A line feed parts two words.

@testable import DokkuDaemon
@testable import DokkuProtocol

private let catalogue = Catalogue(
    listed: CommandTable.traits.filter(\.value.isListed).map(\.key) + ["plugin:own"])

func fuzzReadOnly(_ bytes: [UInt8]) throws {
    let input = FuzzInput(bytes, choices: 1)
    let words = input.content.split(separator: 0x0A, omittingEmptySubsequences: false).map(Array.init)
    var arguments = ArgumentList()
    for word in words where !word.contains(0) { arguments.add(word) }
    let choice = input.choices[0]
    let form = RequestForm(
        isPlain: choice & 1 == 0, isStreamed: choice & 2 != 0, hasInput: choice & 12 == 12,
        isRedirected: choice & 48 == 48)
    let verdict = Policy.judge(
        arguments, form: form,
        permission: Permission(ListenerRules(choice & 64 == 0 ? .readOnly : [.readOnly, .oneShot])),
        catalogue: choice & 128 == 0 ? catalogue : nil)
    switch verdict {
    case .refuse: return
    case .builtin(let builtin):
        try require(!builtin.entry.changesSomething && !form.hasInput && !form.isRedirected, "\(builtin)")
    case .run(let invocation, let lane):
        try require(lane == .queue && !form.hasInput && !form.isRedirected, "\(invocation.name) on \(lane)")
        try check(invocation)
    case .unknown(let invocation):
        try check(invocation)
    }
}

private func check(_ invocation: Invocation) throws {
    let traits = CommandTraits.of(invocation.name)
    let isHelp = invocation.name.hasSuffix(":help") && invocation.argumentCount == 0
    try require(isHelp || traits?.reading != nil, "\(invocation.name) runs")
    try require(traits?.endless != .internalCommand, "\(invocation.name) is dokku's own affair")
    let arguments = invocation.arguments
    for index in 0..<arguments.count {
        let word = String(decoding: arguments[index], as: UTF8.self)
        try require(
            word.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || "-_.:,=@+".contains($0)) }
                && word.first != ".",
            "the word \(word.debugDescription)")
        guard word.first == "-", index != invocation.nameIndex else { continue }
        if index < invocation.nameIndex {
            try require(word == "--quiet" || word == "--app", "\(word) before the name")
        } else {
            try require(!word.contains("=-"), "a flag in the place of a value: \(word)")
            try require(traits?.reading?.allows(arguments[index]) == true, "\(word) of \(invocation.name)")
            for flag in ["--trace", "--include-metadata", "--show-secrets", "--branch", "--logs-vector-sink"]
            {
                try require(!word.hasPrefix(flag), word)
            }
        }
    }
}
