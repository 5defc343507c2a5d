// Where the name of a command stands.
import Testing

@testable import DokkuDaemon
@testable import DokkuProtocol

@Suite struct InvocationTests {
    @Test(arguments: [
        ("apps:list", 0), ("apps:list --force", 0), ("--quiet apps:list", 1), ("--app x apps:list", 2),
        ("--quiet --trace --force --rm --rm-container --detach --app x apps:list y", 8),
        ("--app -x apps:list", 2),
    ])
    func `the name follows the global flags`(line: String, index: Int) {
        let invocation = Invocation(ArgumentList(CommandFacts.words(line)))
        #expect(invocation?.nameIndex == index)
        #expect(invocation?.name == "apps:list")
    }

    @Test(arguments: [
        "", "--force", "--app", "--app x", "--quiet --app", "--app --force apps:list x", "--app --app x",
    ])
    func `global flags alone have no name`(line: String) {
        #expect(Invocation(ArgumentList(CommandFacts.words(line))) == nil)
    }

    @Test(arguments: ["--app=x", "--verbose", "-f", "--Quiet"])
    func `any other flag stands for the name`(flag: String) {
        #expect(Invocation([flag, "apps:list"])?.name == flag)
    }

    @Test(arguments: [
        ("run --no-tty app x", true), ("run --no-tty", true), ("--quiet run -e A=1 --no-tty app", true),
        ("run --ttl-seconds 5 --no-tty app", true), ("run --env=A --no-tty app", true),
        ("run app --no-tty", false), ("run -e --no-tty app", false), ("run --cron-id --no-tty app", false),
        ("run app", false), ("run", false), ("run -e", false), ("enter --no-tty app", false),
    ])
    func `run refuses a terminal by a flag before its app`(line: String, refuses: Bool) {
        #expect(Invocation(ArgumentList(CommandFacts.words(line)))?.refusesTerminal == refuses)
    }

    @Test func `a name is text`() {
        var words = ArgumentList()
        words.append([0x61, 0xff])
        words.endWord()
        #expect(Invocation(words) == nil)
    }

    @Test func `flags are found wherever they stand`() {
        #expect(Invocation(["apps:destroy", "x", "--force"])?.hasForce == true)
        #expect(Invocation(["--force", "apps:destroy", "x"])?.hasForce == true)
        #expect(Invocation(["apps:destroy", "x", "--forced"])?.hasForce == false)
        #expect(Invocation(["apps:list", "--trace"])?.hasTrace == true)
    }

    @Test(arguments: [
        "plugin:install", "plugin", "plugin:help", "my-plugins:list", "--quiet plugin:update",
        "--app x plugin:list", "ssh-keys:add", "ssh-keys:remove", "scheduler-k3s:initialize",
        "scheduler-k3s:uninstall",
    ])
    func `commands of root keep root`(line: String) {
        #expect(Invocation(ArgumentList(CommandFacts.words(line)))?.keepsRoot == true)
    }

    @Test(arguments: [
        "apps:list", "apps:list plugin:install", "ssh-keys:list", "ssh-keys", "k3s:initialize", "plugi:n",
        "scheduler-k3s:report", "help plugin",
    ])
    func `other commands do not keep root`(line: String) {
        #expect(Invocation(ArgumentList(CommandFacts.words(line)))?.keepsRoot == false)
    }
}
