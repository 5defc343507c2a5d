// Facts about the commands of dokku 0.36 to 0.38, in a form that a person can check. It is parsed once.

enum CommandTable {
    /// By full name.
    static let traits = parse(text)
    /// The parts before the first colon of all names, aliases included.
    static let prefixes: Set<Substring> = {
        let names = traits.keys + traits.keys.compactMap(CommandName.alias(of:))
        return Set(names.compactMap { $0.split(separator: ":").first })
    }()

    /// A line is a name up to its first colon, and then the parts after the colon (`.`: there is none), each with
    /// letters:
    ///
    /// `l` listed, `i` reads standard input, `c` asks to confirm, `R` needs root;
    /// `r` runs on read-only sockets, `f` does so only with a named flag (`Reading.flags` has the flags of both);
    /// `s` its output may hold a secret, or is text of an app, a build, a template or a file;
    /// of the words after the name a log shows `h` one, `v` two;
    /// endless: `t` with `-t`, `T` with `--tail`, `B` as its build, `P` as its program, `X` internal.
    ///
    /// docs/read-only.md gives the reason for each `r` and `f`.
    private static let text = """
        --version ./r
        -v ./r
        app-json ./r help/r report/lr set/l
        apps ./r clone/ls create/l destroy/lic exists/lr help/r list/lr lock/l locked/lr rename/ls report/lfs
        apps set/lv unlock/l
        builder ./r help/r report/lr set/l
        builder-dockerfile ./r help/r report/lr set/l
        builder-herokuish ./r help/r report/lr set/l
        builder-lambda ./r help/r report/lr set/l
        builder-nixpacks ./r help/r report/lr set/l
        builder-null help/r
        builder-pack ./r help/r report/lr set/l
        builder-railpack ./r help/r report/lr set/l
        buildpacks ./r add/ls clear/l detect/ls help/r list/ls remove/ls report/lfs set/ls set-property/l
        builds ./r cancel/l help/r info/lr list/lr output/lsB prune/l report/lr set/l
        caddy ./r help/r labels:add/lsh labels:remove/lsh labels:show/lsh logs/stT report/lr set/l
        caddy show-config/ls start/l stop/l
        certs ./r add/li chain/l generate/li help/r key/ls remove/l report/lr rollback/l show/ls update/li
        checks ./r disable/l enable/l help/r report/lr run/ls set/l skip/l
        cleanup ./l help/r
        config ./ls bundle/ls clear/ls export/ls get/ls help/r import/lis keys/lr set/ls show/ls
        config unset/ls
        cron ./r help/r list/ls report/ls resume/lsh run/lshP set/lsh suspend/lsh
        deploy ./s
        docker-options ./s add/lsh clear/ls help/r list/s remove/lsh report/ls
        domains ./r add/l add-global/l clear/l clear-global/l disable/l enable/l help/r remove/l
        domains remove-global/l report/lr reset/l set/l set-global/l setup
        enter ./lishP help/r
        events ./lst help/r list/lr off/l on/l
        git ./r allow-host/l auth/lish auth-status/lish from-archive/lis from-image/ls generate-deploy-key/l
        git help/r initialize/l load-image/lis public-key/lr report/lr set/l status/ls sync/ls unlock
        git-hook ./iX
        git-receive-pack ./iX
        git-upload-archive ./iX
        git-upload-pack ./iX
        haproxy ./r help/r labels:add/lsh labels:remove/lsh labels:show/lsh logs/stT report/lr set/l
        haproxy show-config/ls start/l stop/l
        help ./lr
        logs ./lstT failed/ls help/r report/lfs set/lsv vector-logs/lsT vector-start/ls vector-stop/l
        network ./r create/l destroy/lic exists/lr help/r info/lrs list/lrs rebuild/l rebuildall/l report/lr
        network set/l
        nginx ./r access-logs/lst error-logs/lst help/r reload/l report/lr set/l show-conf/s show-config/ls
        nginx start/l stop/l validate/s validate-config/ls
        openresty ./r help/r labels:add/lsh labels:remove/lsh labels:show/lsh logs/stT report/lfs set/lsv
        openresty show-config/ls start/l stop/l
        plugin ./r disable/lR enable/lR help/r install/lsR install-dependencies/lsR installed/rR list/lrs
        plugin trigger/lshR uninstall/lsR update/lsR
        ports ./r add/l clear/l help/r list/lr remove/l report/lr set/l
        proxy ./r build-config/l clear-config/l disable/l enable/l help/r ports ports-add ports-clear
        proxy ports-remove ports-set report/lr set/l
        ps ./r help/r inspect/ls rebuild/ls report/lfs restart/ls restore/ls retire scale/l set/lsv start/ls
        ps stop/l
        registry ./r help/r login/lish logout/l report/lr set/l
        repo ./r gc/l help/r purge-cache/l
        report ./s
        resource ./r help/r limit/l limit-clear/l report/lr reserve/l reserve-clear/l
        run ./lishP detached/lsh help/r list/ls logs/lstT retire/l stop/l
        scheduler ./r help/r report/lr set/l
        scheduler-docker-local ./r help/r report/lr set/l
        scheduler-k3s ./r annotations:report/ls annotations:set/lsh autoscaling-auth:report/ls
        scheduler-k3s autoscaling-auth:set/lsh charts:report/ls charts:set/lsh cluster:add/ls cluster:list/lrs
        scheduler-k3s cluster:remove/ls ensure-charts/ls help/r initialize/lsR labels:report/ls
        scheduler-k3s labels:set/lsh node-sysctls:report/lr node-sysctls:set/l preview/ls profiles:add/l
        scheduler-k3s profiles:list/lrs profiles:remove/l report/lfs set/lsv show-kubeconfig/ls uninstall/lsR
        scheduler-null help/r
        shell ./licX help/r
        ssh-keys ./r add/liR help/r list/lr remove/lR
        storage ./r annotations:report/ls annotations:set/lsh create/l destroy/lic ensure-directory/l
        storage exec/lishP help/r info/lrs labels:report/ls labels:set/lsh list/lr list-entries/lrs
        storage migrate/l mount/l report/lrs set/l unmount/l wait/lr
        trace ./s help/r off/l on/l
        traefik ./r help/r labels:add/lsh labels:remove/lsh labels:show/lsh logs/stT report/lfs set/lsv
        traefik show-config/ls start/ls stop/l
        url ./lr help/r
        urls ./lr help/r
        version ./lr help/r
        """

    private static func parse(_ text: String) -> [String: CommandTraits] {
        var table: [String: CommandTraits] = [:]
        table.reserveCapacity(512)
        for line in text.utf8.split(separator: UInt8(ascii: "\n")) {
            let words = line.split(separator: UInt8(ascii: " "))
            guard let prefix = words.first else { continue }
            for word in words.dropFirst() {
                let parts = word.split(separator: UInt8(ascii: "/"))
                guard let rest = parts.first else { continue }
                let name =
                    rest.elementsEqual(".".utf8)
                    ? "\(Substring(prefix))" : "\(Substring(prefix)):\(Substring(rest))"
                table[name] = traits(of: name, parts.count > 1 ? parts[1] : "".utf8[...])
            }
        }
        return table
    }

    private static func traits(of name: String, _ letters: Substring.UTF8View) -> CommandTraits {
        var traits = CommandTraits()
        var flags: [String] = []
        for letter in letters {
            switch letter {
            case UInt8(ascii: "l"): traits.isListed = true
            case UInt8(ascii: "r"): traits.reading = Reading(of: name, needsFlag: false)
            case UInt8(ascii: "f"): traits.reading = Reading(of: name, needsFlag: true)
            case UInt8(ascii: "i"): traits.readsInput = true
            case UInt8(ascii: "c"): traits.confirms = true
            case UInt8(ascii: "R"): traits.needsRoot = true
            case UInt8(ascii: "s"): traits.showsSecret = true
            case UInt8(ascii: "h"): traits.shownWords = 1
            case UInt8(ascii: "v"): traits.shownWords = 2
            case UInt8(ascii: "B"): traits.endless = .build
            case UInt8(ascii: "P"): traits.endless = .program
            case UInt8(ascii: "X"): traits.endless = .internalCommand
            case UInt8(ascii: "t"): flags.append("-t")
            case UInt8(ascii: "T"): flags.append("--tail")
            default: preconditionFailure("no such letter in the command table")
            }
        }
        if !flags.isEmpty { traits.endless = .withFlag(flags) }
        return traits
    }
}

extension CommandTraits {
    /// The traits of one of dokku's own commands, whose name may begin with an alias. Nil for a plugin's command,
    /// or if there is no such command.
    static func of(_ name: String) -> CommandTraits? {
        CommandTable.traits[name] ?? CommandName.target(ofAlias: name).flatMap { CommandTable.traits[$0] }
    }
}
