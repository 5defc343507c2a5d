// What a read-only socket lets through: commands that are known to change nothing and to show no secret, with flags
// that are known to be harmless, and with words that are harmless in every shell that dokku passes them to.
import DokkuProtocol

enum ReadOnly {
    /// Why this must not run, or nil.
    static func refusal(of invocation: Invocation, form: RequestForm) -> Refusal? {
        guard !form.hasInput, !form.isRedirected, hasHarmlessGlobalFlags(invocation) else {
            return .readOnlySocket
        }
        let isAllowed =
            if CommandName.isHelp(invocation.name) {
                invocation.argumentCount == 0
            } else if let reading = invocation.traits?.reading {
                allows(reading, invocation)
            } else {
                false
            }
        return isAllowed ? nil : .readOnlySocket
    }

    /// Only `--quiet` and `--app NAME` are allowed. `--trace` prints every variable that dokku reads; nobody needs
    /// the others here.
    private static func hasHarmlessGlobalFlags(_ invocation: Invocation) -> Bool {
        let arguments = invocation.arguments
        var index = 0
        while index < invocation.nameIndex {
            if arguments.word(index, is: "--app") {
                guard isHarmless(arguments[index + 1]) else { return false }
                index += 2
            } else if arguments.word(index, is: "--quiet") {
                index += 1
            } else {
                return false
            }
        }
        return true
    }

    private static func allows(_ reading: Reading, _ invocation: Invocation) -> Bool {
        let arguments = invocation.arguments
        var hasFlag = false
        var wordCount = invocation.namesApp ? 1 : 0
        for index in invocation.nameIndex + 1..<arguments.count {
            let word = arguments[index]
            if word.first == UInt8(ascii: "-") {
                guard hasHarmlessBytes(word), reading.allows(word) else { return false }
                let flag = word.prefix(while: { $0 != UInt8(ascii: "=") })
                if !flag.elementsEqual("--global".utf8) { hasFlag = true }
            } else {
                guard isHarmless(word) else { return false }
                wordCount += 1
            }
        }
        // Some versions of dokku take a second word for the info flag, and print everything if it is `true`.
        return !reading.needsFlag || (hasFlag && wordCount <= 1)
    }

    /// A plain word. A path in the place of an app's name would lead out of the apps' folder. Some versions of
    /// dokku also delete what they find under a name that is not an app's.
    private static func isHarmless(_ word: ArraySlice<UInt8>) -> Bool {
        word.first != UInt8(ascii: ".") && word.first != UInt8(ascii: "-") && hasHarmlessBytes(word)
    }

    private static func hasHarmlessBytes(_ word: ArraySlice<UInt8>) -> Bool {
        word.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"):
                true
            default: "-_.:,=@+".utf8.contains(byte)
            }
        }
    }
}
