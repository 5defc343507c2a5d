// Which lines of a list are warned of, and the page about them.
import Foundation
import TestSupport
import Testing

@testable import DokkuDaemon

@Suite struct HazardTests {
    private func kind(_ line: String) throws -> Hazard.Kind? {
        try Hazard.of(#require(AllowList(parsing: line.utf8).lines.first))?.kind
    }

    @Test(arguments: [
        "docker-options:add blog *", "storage:mount blog ...", "config:set --no-restart blog ...",
        "plugin:install x",
        "ssh-keys:add me <", "config:import blog <", "k3s:initialize", "git:sync blog *", "run blog ...",
        "resource:limit --memory * blog", "git:set blog source-image *",
        "nixpacks:set blog nixpackstoml-path *",
        "builder-pack:set blog ...", "k3s:annotations:set blog *",
    ])
    func `a line that may give the host away is told`(line: String) throws {
        #expect(try kind(line) == .root)
    }

    @Test(arguments: [
        "ps:restart blog", "ps:restart *", "ps:scale blog *", "logs blog -t", "logs blog ...",
        "config:keys blog",
        "config:set blog A=1", "docker-options:add blog deploy --ulimit=nofile=12",
        "run blog rake db:migrate",
        "apps:destroy blog --force", "daemon:queue", "daemon:submit ...", "postgres:backup db", "apps:list",
        "ps:report blog --running", "ps:report * --running", "apps:locked blog",
        "git:set blog deploy-branch main",
    ])
    func `a line that gives what it says is not`(line: String) throws {
        #expect(try kind(line) == nil)
    }

    @Test func `secrets and others are told apart`() throws {
        for line in [
            "config:show blog", "ps:report *", "ps:report blog ...", "trace:on", "certs:show blog key",
            "--trace ps:restart blog", "ps:report blog --running --trace", "--trace logs blog -t",
        ] {
            #expect(try kind(line) == .secrets, "\(line)")
        }
        for line in ["domains:add blog *", "nginx:stop", "apps:destroy * --force", "builds:output blog *"] {
            #expect(try kind(line) == .others, "\(line)")
        }
    }

    @Test func `each command is dokku's`() {
        for name in Hazard.table.keys { #expect(CommandTable.traits[name] != nil, "\(name)") }
    }

    /// The page has each command once, under its kind, with `!` where the table has it.
    @Test func `the page names exactly the table's commands`() throws {
        let page = try String(contentsOfFile: Repository.path("docs/allow-lists.md"), encoding: .utf8)
        let titles = [
            "Root on the host": Hazard.Kind.root, "Secrets": .secrets, "Other apps, and the host": .others,
        ]
        var named: [String: (Hazard.Kind, Bool)] = [:]
        for section in page.components(separatedBy: "\n### ").dropFirst() {
            guard let kind = titles[String(section.prefix { $0 != "\n" })] else { continue }
            for row in section.split(separator: "\n") where row.hasPrefix("| `") {
                let cell = row.dropFirst().prefix { $0 != "|" }
                for (index, part) in cell.split(separator: "`").enumerated() where index % 2 == 1 {
                    #expect(named[String(part)] == nil, "\(part) stands twice")
                    named[String(part)] = (kind, row.contains("| always |"))
                }
            }
        }
        #expect(Set(named.keys) == Set(Hazard.table.keys))
        for (name, hazard) in Hazard.table {
            #expect(named[name]?.0 == hazard.kind && named[name]?.1 == hazard.isFixed, "\(name)")
        }
    }
}
