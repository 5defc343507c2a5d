// Which words of a command line are hidden in logs, besides those with a `=` or an `@`.
import DokkuProtocol

/// What is hidden of one command line.
struct Hiding {
    enum Extent { case nothing, word, rest }

    private let arguments: ArgumentList
    private let nameIndex: Int
    private let hidesName: Bool
    /// Words from this index on are hidden.
    private let end: Int
    /// Only for `config:set`.
    private let pairs: ConfigPairs?

    init(_ invocation: Invocation) {
        arguments = invocation.arguments
        nameIndex = invocation.nameIndex
        let traits = invocation.traits
        // A plugin's commands have a colon, except the one that shows its help. Any other word without a colon may
        // be a password.
        hidesName =
            traits == nil && !invocation.name.utf8.contains(UInt8(ascii: ":"))
            && Builtin.named(arguments, at: nameIndex) == nil
        let shown = traits?.shownWords ?? 1
        // If an app is named before the command, dokku takes it as the command's first word.
        end = shown == .max ? .max : nameIndex + 1 + max(0, shown - (invocation.namesApp ? 1 : 0))
        pairs = invocation.name == "config:set" ? ConfigPairs(invocation) : nil
    }

    /// Whether word `index` is hidden, or that word and all after it.
    func extent(at index: Int) -> Extent {
        guard index > nameIndex else { return index == nameIndex && hidesName ? .word : .nothing }
        if index >= end { return .rest }
        let word = arguments[index]
        if let pairs { return pairs.shows(arguments, index) ? .nothing : .word }
        if index > nameIndex + 1, SecretWords.announceSecret(arguments[index - 1]) { return .rest }
        let isHidden = end < .max ? Self.mayHoldValue(word) : Self.holdsFlagAndValue(word)
        return isHidden ? .word : .nothing
    }

    /// A short flag may be joined with its value: `-pPASSWORD`.
    private static func mayHoldValue(_ word: ArraySlice<UInt8>) -> Bool {
        word.first == UInt8(ascii: "-") && !word.starts(with: "--".utf8)
    }

    /// A flag and its value in one word: `"--password PASSWORD"`.
    private static func holdsFlagAndValue(_ word: ArraySlice<UInt8>) -> Bool {
        word.contains(where: SecretWords.isBlank) && SecretWords.announceSecret(word)
    }
}

/// The words of `config:set [APP] NAME=VALUE…`. If all of them are pairs, the names are shown. Otherwise a value
/// may stand in the place of a pair.
private struct ConfigPairs {
    /// The index of the app's name, or -1.
    private let app: Int
    private let areWhole: Bool

    init(_ invocation: Invocation) {
        let arguments = invocation.arguments
        let words = invocation.nameIndex + 1..<arguments.count
        let isElsewhere = invocation.namesApp || words.contains { arguments.word($0, is: "--global") }
        let app = isElsewhere ? -1 : words.first { !Self.isFlag(arguments, $0) } ?? -1
        self.app = app
        let pairs = words.filter { $0 != app && !Self.isFlag(arguments, $0) }
        // After `NAME=` and a blank, the next word may be the value.
        areWhole =
            pairs.allSatisfy { Self.isPair(arguments[$0]) }
            && !pairs.dropLast().contains { Self.isEmptied(arguments[$0]) }
    }

    func shows(_ arguments: ArgumentList, _ index: Int) -> Bool {
        index == app || Self.isFlag(arguments, index) || areWhole
    }

    /// A name that dokku accepts (config's `validateKey`) and a value. The end of a base64 or base32 text looks
    /// similar: so the value must not consist of `=` alone, and a name with an empty value must have no lower-case
    /// letter.
    private static func isPair(_ word: ArraySlice<UInt8>) -> Bool {
        guard let equals = word.firstIndex(of: UInt8(ascii: "=")), equals > word.startIndex else {
            return false
        }
        let name = word[..<equals]
        let value = word[equals...].dropFirst()
        guard name.allSatisfy(isOfName) else { return false }
        if !value.isEmpty, value.allSatisfy({ $0 == UInt8(ascii: "=") }) { return false }
        return !value.isEmpty || !name.contains { (UInt8(ascii: "a")...UInt8(ascii: "z")).contains($0) }
    }

    /// `NAME=`
    private static func isEmptied(_ word: ArraySlice<UInt8>) -> Bool {
        word.last == UInt8(ascii: "=") && !word.dropLast().contains(UInt8(ascii: "="))
    }

    private static func isOfName(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"):
            true
        default: false
        }
    }

    private static func isFlag(_ arguments: ArgumentList, _ index: Int) -> Bool {
        arguments.word(index, is: "--no-restart") || arguments.word(index, is: "--encoded")
            || arguments.word(index, is: "--global")
    }
}

enum SecretWords {
    /// Names of flags and properties that a secret follows, by their first letter.
    private static let names: [[[UInt8]]] = {
        let names = [
            "access-key", "access_key", "api-key", "api_key", "apikey", "credential", "dns-provider-",
            "func-base64", "passphrase", "passwd", "password", "private key", "private-key",
            "private_key", "secret", "sink",
            "source-metadata", "start-cmd", "token",
        ]
        var table = [[[UInt8]]](repeating: [], count: 26)
        for name in names.map({ Array($0.utf8) }) { table[Int(name[0] - UInt8(ascii: "a"))].append(name) }
        return table
    }()
    /// Only this many bytes of a word are searched.
    private static let searchLimit = 256

    /// True for a flag or a property that a secret follows: `--password`, `basic-auth-password`.
    static func announceSecret(_ word: ArraySlice<UInt8>) -> Bool {
        word.prefix(searchLimit).withUnsafeBufferPointer { word in
            for index in word.indices {
                let letter = lowercased(word[index])
                guard (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(letter) else { continue }
                for name in names[Int(letter - UInt8(ascii: "a"))] where name.count <= word.count - index {
                    if name.indices.allSatisfy({ lowercased(word[index + $0]) == name[$0] }) { return true }
                }
            }
            return false
        }
    }

    static func isBlank(_ byte: UInt8) -> Bool {
        byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\t") || byte == UInt8(ascii: "\n")
    }

    private static func lowercased(_ byte: UInt8) -> UInt8 {
        (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte) ? byte | 0x20 : byte
    }
}
