// What a client writes as a plain line is read as the same words.
import DokkuProtocol
import Testing

@Suite struct PlainRequestTests {
    /// The words as the daemon reads them from its socket; nil if it takes them for something else.
    private func read(_ line: [UInt8]) throws -> ArgumentList? {
        var framer = LineFramer(maximumLength: 8 << 20)
        framer.append(line.span)
        guard case .line(let text) = framer.next(), framer.bufferedBytes == 0, !LineFramer.beginsJSON(text)
        else {
            return nil
        }
        var words = ArgumentList()
        return try ShellWords.split(text, into: &words) == nil ? words : nil
    }

    private func words(_ words: [[UInt8]]) -> ArgumentList {
        var list = ArgumentList()
        for word in words {
            list.append(word)
            list.endWord()
        }
        return list
    }

    @Test func `words that mean themselves have no quotes`() throws {
        let words: ArgumentList = ["--quiet", "config:set", "my_app.1", "URL=/a+b,c@d"]
        #expect(try text(PlainRequest.line(words)) == "--quiet config:set my_app.1 URL=/a+b,c@d\n")
        #expect(try text(PlainRequest.line(["a b", "it's", ""])) == "'a b' 'it'\\''s' ''\n")
    }

    @Test func `hostile words come back, alone and in company`() throws {
        for word in HostileBytes.ofPlainWord {
            for list in [words([word]), words([bytes("a"), word]), words([word, bytes("/d")])] {
                let isSame = try read(PlainRequest.line(list)) == list
                #expect(isSame, "\(word.prefix(20))")
            }
        }
        let all = words(HostileBytes.ofPlainWord)
        let isSame = try read(PlainRequest.line(all)) == all
        #expect(isSame)
    }

    @Test func `no words are an empty line`() throws {
        #expect(try PlainRequest.line([]) == bytes("\n"))
    }

    @Test func `what would end the word or the line is not sent`() {
        #expect(throws: Unsendable.nulByte) { try PlainRequest.line(["a", "b\0c"]) }
        #expect(throws: Unsendable.newline) { try PlainRequest.line(["a", "b\n"]) }
    }

    @Test(arguments: 0..<4 as Range<UInt64>) func `random words come back`(seed: UInt64) throws {
        var generator = SeededGenerator(state: seed)
        for _ in 0..<500 {
            let list = words(
                (0..<Int.random(in: 0...5, using: &generator)).map { _ in
                    HostileBytes.random(from: HostileBytes.ofPlainWord, using: &generator)
                })
            #expect(try read(PlainRequest.line(list)) == list, "seed \(seed)")
        }
    }
}
