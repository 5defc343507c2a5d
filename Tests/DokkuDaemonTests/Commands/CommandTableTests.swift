// The command table against the facts, trait by trait.
import Testing

@testable import DokkuDaemon
@testable import DokkuProtocol

@Suite struct CommandTableTests {
    private func names(_ holds: (CommandTraits) -> Bool) -> [String] {
        CommandTable.traits.filter { holds($0.value) }.keys.sorted()
    }

    @Test func `every command is in the table`() {
        #expect(CommandTable.traits.count == CommandFacts.count)
        #expect(names { $0.isListed }.count == CommandFacts.listedCount)
        #expect(names { $0.reading != nil }.count == CommandFacts.readOnlyCount)
        #expect(CommandTable.traits.keys.filter { $0.hasSuffix(":help") }.count == CommandFacts.helpCount)
        let unlisted = names { !$0.isListed }.filter { !$0.hasSuffix(":help") }
        #expect(unlisted == CommandFacts.unlisted.sorted())
    }

    @Test func `help commands are unlisted and harmless`() {
        for (name, traits) in CommandTable.traits where name.hasSuffix(":help") {
            #expect(
                traits == CommandTraits(reach: .nothing, reading: Reading(of: name, needsFlag: false)),
                "\(name)")
            #expect(traits.reading?.flags == "", "\(name)")
        }
    }

    @Test func `exactly these commands are harmless`() {
        let harmless = names { $0.reading != nil }
        #expect(harmless.filter { !$0.hasSuffix(":help") } == CommandFacts.harmless.sorted())
        #expect(names { $0.reading?.needsFlag ?? false } == CommandFacts.needFlag.sorted())
        #expect(names { $0.reading != nil && $0.endless != .never } == [])
    }

    @Test func `each trait has its names`() {
        #expect(names { $0.readsInput } == CommandFacts.readInput.sorted())
        #expect(names { $0.confirms } == CommandFacts.confirm.sorted())
        #expect(names { $0.needsRoot } == CommandFacts.needRoot.sorted())
        #expect(names { $0.showsSecret } == CommandFacts.secret.sorted())
        #expect(names { $0.shownWords == 1 } == CommandFacts.showOneWord.sorted())
        #expect(names { $0.shownWords == 2 } == CommandFacts.showTwoWords.sorted())
    }

    @Test func `each kind of endless command has its names`() {
        #expect(names { $0.endless == .build } == ["builds:output"])
        #expect(names { $0.endless == .internalCommand } == CommandFacts.internalNames.sorted())
        #expect(names { $0.endless == .program } == CommandFacts.programs.sorted())
        for (flags, expected) in CommandFacts.following {
            #expect(names { $0.endless == .withFlag(CommandFacts.words(flags)) } == expected.sorted())
        }
        #expect(names { $0.endless == .never }.count == 353)
    }

    @Test(arguments: [
        ("docker-local:report", "scheduler-docker-local:report"), ("docker-local", "scheduler-docker-local"),
        ("k3s:show-kubeconfig", "scheduler-k3s:show-kubeconfig"),
        ("k3s:cluster:add", "scheduler-k3s:cluster:add"),
        ("dockerfile:set", "builder-dockerfile:set"), ("herokuish:report", "builder-herokuish:report"),
        ("lambda:set", "builder-lambda:set"), ("nixpacks:set", "builder-nixpacks:set"),
        ("pack:report", "builder-pack:report"), ("rails:report", "builder-railpack:report"),
    ])
    func `an alias has the traits of its target`(alias: String, target: String) {
        #expect(CommandTraits.of(alias) == CommandTable.traits[target])
        #expect(CommandTraits.of(alias) != nil)
    }

    @Test(arguments: [
        "", ":", "app", "apps:", "apps:lis", "apps:listt", "postgres:create", "nginx-vhosts:stop", "k3s:x",
    ])
    func `nothing is known of other names`(name: String) {
        #expect(CommandTraits.of(name) == nil)
    }

    @Test(arguments: [
        ("logs a -t", true), ("logs a --tail", true), ("logs a --tail=true", true), ("logs -qt a", true),
        ("logs -t=true a", true), ("logs a", false), ("logs tail", false), ("logs a --tailor", false),
        ("logs --t a", false), ("logs a -", false), ("logs a -n 5", false), ("events -t", true),
        ("events --tail", false), ("logs:vector-logs --tail", true), ("logs:vector-logs -t", false),
        ("builds:output a", false), ("run a sleep -t", false), ("apps:list -t", false),
    ])
    func `flags make a command endless`(line: String, isEndless: Bool) throws {
        let words = ArgumentList(CommandFacts.words(line))
        #expect(try #require(CommandTraits.of(words.text(0))).isEndless(words, after: 0) == isEndless)
    }
}
