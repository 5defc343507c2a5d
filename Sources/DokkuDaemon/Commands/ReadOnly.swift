// What a read-only socket lets through: the commands known to change nothing and to show no secret, with words that
// can do no harm in any of the shells that dokku hands them to. Everything else is refused.

enum ReadOnly {
    /// Why this may not run, or nil. `traits` are those of the invocation's name.
    static func refusal(of invocation: Invocation, traits: CommandTraits?, form: RequestForm) -> Refusal? {
        let isAllowed = isHarmless(traits) || CommandName.isHelp(invocation.name)
        guard isAllowed, !form.hasInput, !form.isRedirected else { return .readOnlySocket }
        let arguments = invocation.arguments
        for index in 0..<arguments.count where index != invocation.nameIndex {
            guard isHarmless(arguments[index]) else { return .readOnlySocket }
        }
        return nil
    }

    private static func isHarmless(_ traits: CommandTraits?) -> Bool {
        guard let traits else { return false }
        return traits.isReadOnly && !traits.showsSecret && traits.endless != .internalCommand
    }

    /// Plain words alone. `--trace` prints every variable that dokku reads, `--include-metadata` credentials. A path
    /// in the place of an app's name leads out of the apps' folder (and versions of dokku delete what they find
    /// under a name that is no app's); a flag's could name a file to write.
    private static func isHarmless(_ word: ArraySlice<UInt8>) -> Bool {
        if word.starts(with: "--trace".utf8) || word.starts(with: "--include-metadata".utf8) { return false }
        if word.first == UInt8(ascii: ".") { return false }
        return word.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"):
                true
            default: "-_.:,=@+".utf8.contains(byte)
            }
        }
    }
}
