// Names as dokku's help prints them, and the ones that are valid besides.
import Testing

@testable import DokkuDaemon

@Suite struct CatalogueTests {
    private static let help = [
        "Usage: dokku [--quiet|--trace|--force] COMMAND <app>", "", "Commands:", "",
        "    apps:create <app>              Create a new app" + String(repeating: " ", count: 300),
        "    apps:list                      List apps",
        "    buildpacks:set [--index 1] <app> <buildpack>   Set one", "    buildpacks:set again",
        "\u{1b}[33m    ps:scale\u{1b}[0m <app>   Scale", "    \u{1b}[1mlogs\u{1b}(B\u{1b}[m <app>  Logs",
        "    scheduler-k3s:cluster:add [ssh://user@host:port]  Add a node", "    url,Without columns\r",
        "    scheduler-docker-local:report [<app>]   Report", "    shell    A prompt",
        "    git-hook <app>   Internal",
        "     five   blanks", "   three   blanks", "\tx   a tab", "    --flag   no name", "    a/b   no name",
        "    Note: no name", "    ..:x   no name", "    é   no name", "Community plugin commands:",
        "    postgres:create <service>  Create", "    version",
    ].joined(separator: "\n")
    private static let catalogue = Catalogue(helpOutput: Array(help.utf8))

    @Test func `listed names come in order and once`() {
        #expect(
            Self.catalogue?.listedNames == [
                "apps:create", "apps:list", "buildpacks:set", "ps:scale", "logs", "scheduler-k3s:cluster:add",
                "url",
                "scheduler-docker-local:report", "shell", "postgres:create", "version",
            ])
    }

    @Test(arguments: [
        "", "\n\n", "Usage: dokku\n", "  apps:list\n", "dokku: command not found", "\u{1b}[", "    ",
    ])
    func `a help without a name is unreadable`(text: String) {
        #expect(Catalogue(helpOutput: Array(text.utf8)) == nil)
    }

    /// Whatever stands in the line before, what is left of a sequence ends with that line.
    @Test(arguments: [
        "\u{1b}", "\u{1b}[", "\u{1b}[1", "\u{1b}(", "\u{1b}]0;title", "\u{1b}Pq", "\u{1b}[1;\u{1b}",
    ])
    func `an unfinished escape sequence hides no name`(sequence: String) {
        let help =
            "    apps:list\(sequence)\n    ps:scale\u{1b}]8;;x\u{7} <app>\n\u{1b}[32;1m    logs\u{1b}c x\n"
        #expect(Catalogue(helpOutput: Array(help.utf8))?.listedNames == ["apps:list", "ps:scale", "logs"])
    }

    @Test func `bytes that are no text spoil their line only`() throws {
        let help = Array("    a\u{0}b x\n    ok x\n    ".utf8) + [0xff, 0xfe, 0x0a]
        #expect(Catalogue(helpOutput: help)?.listedNames == ["ok"])
    }

    @Test func `listed names are valid`() throws {
        let catalogue = try #require(Self.catalogue)
        for name in catalogue.listedNames { #expect(catalogue.contains(name), "\(name)") }
    }

    @Test func `commands that exist unlisted are valid`() throws {
        let catalogue = Catalogue(listed: ["apps:list"])
        let internalNames = CommandFacts.internalNames
        for name in CommandFacts.unlisted where !internalNames.contains(name) {
            #expect(catalogue.contains(name), "\(name)")
        }
        for name in internalNames { #expect(!catalogue.contains(name), "\(name)") }
        #expect(catalogue.listedNames == ["apps:list"])
    }

    @Test func `an alias is valid if its target is`() throws {
        let catalogue = try #require(Self.catalogue)
        #expect(catalogue.contains("docker-local:report"))
        #expect(catalogue.contains("docker-local"))
        #expect(catalogue.contains("k3s:cluster:add"))
        #expect(!catalogue.contains("docker-local:set"))
        #expect(!catalogue.contains("k3s:cluster:remove"))
        #expect(catalogue.contains("rails"))
    }

    @Test(arguments: [
        "help", "--version", "-v", "apps:help", "apps:create:help", "no-such_plugin.x:help",
        "docker-local:help",
    ])
    func `help and version commands are valid unlisted`(name: String) {
        #expect(Catalogue(listed: ["apps:list"]).contains(name))
    }

    @Test(arguments: [
        "", ":", "app", "apps:lis", "apps:list ", "s:list", "list", "apps:.ist", "apps:../../../../bin/echo",
        "APPS:LIST",
        ":help", "..:help", ".:help", "apps:..:help", "apps::help", "a/b:help", "apps:help:", "Apps:help",
        "-x:help",
        "--x:help", "git-hook:help", "git-x", "apps:list\n", "apps:list\u{0}", "x\u{0}:help", "x\n:help",
        "é:help",
        ".x:help", "apps:help\n", "nginx-vhosts:stop",
    ])
    func `other names are not valid`(name: String) {
        #expect(!Catalogue(listed: ["apps:list"]).contains(name))
    }

    @Test func `kept names are read with the same suspicion`() {
        let names = ["b", "a:b", "b", "../x", "git-hook", "--force", "", "x y"]
        #expect(Catalogue(listed: names).listedNames == ["b", "a:b"])
    }

    @Test func `the lock file has one name a line`() {
        #expect(Catalogue(listed: ["b", "a:b"]).lockFileText == Array("b\na:b\n".utf8))
        #expect(Catalogue(listed: []).lockFileText.isEmpty)
    }

    @Test func `a name is at most as long as a file name`() {
        let long = String(repeating: "a", count: 251)
        #expect(Catalogue(listed: []).contains(long.dropLast() + ":help"))
        #expect(!Catalogue(listed: []).contains(long + ":help"))
    }
}
