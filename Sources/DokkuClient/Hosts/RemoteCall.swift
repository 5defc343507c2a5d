// One command on other machines, from the command line to the client's end.

enum RemoteCall {
    static func run(_ arguments: Arguments, on hosts: [Host]) -> Verdict {
        if hosts.count == 1 { return OneHost(hosts[0], arguments).run() }
        if arguments.givesInput {
            return Verdict(.usage, "standard input cannot go to several hosts; leave out --stdin")
        }
        return ManyHosts(hosts, arguments).run()
    }
}
