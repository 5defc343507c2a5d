// What a person sees who opens the socket for the first time.
import Testing

@Suite struct ConversationTests {
    @Test func `an app is made and listed`() throws {
        let client = try DaemonProcess().connect()
        try client.send("apps:create python-app\n")
        #expect(try client.line() == #"{"ok":true,"output":"Creating python-app... done"}"#)
        #expect(try client.ask("apps:list") == .good("=====> My Apps\npython-app"))
        #expect(try client.ask("--quiet apps:list") == .good("python-app"))
    }

    @Test func `a command that dokku refuses is not ok`() throws {
        let client = try DaemonProcess().connect()
        #expect(try client.ask("apps:exists nothing") == .bad(" !     App nothing does not exist"))
        #expect(try client.ask("nonsense") == .bad("Invalid command"))
    }

    @Test func `a quoted value arrives as it was meant`() throws {
        let client = try DaemonProcess().connect()
        _ = try client.ask("apps:create shop")
        #expect(try client.ask(#"config:set --no-restart shop GREETING="a 'b' \"c\" \\" OTHER='$x `y`'"#).ok)
        #expect(try client.ask("config:get shop GREETING") == .good(#"a 'b' "c" \"#))
        #expect(try client.ask("config:get shop OTHER") == .good("$x `y`"))
    }
}
