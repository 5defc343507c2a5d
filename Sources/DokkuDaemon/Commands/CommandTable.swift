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
    /// `n` changes nothing, `a` the app that its first word names, `E` what each dokku reads as it begins, and any
    /// other one the host (`Reach`);
    /// `r` changes nothing and runs on read-only sockets, `f` does so only with a named flag (`Reading.flags` has the
    /// flags of both);
    /// `s` its output may hold a secret, or is text of an app, a build, a template or a file;
    /// of the words after the name a log shows `h` one, `v` two;
    /// endless: `t` with `-t`, `T` with `--tail`, `B` as its build, `P` as its program, `X` internal.
    ///
    /// docs/read-only.md gives the reason for each `r` and `f`, docs/side-by-side.md for each `n`, `a` and `E`.
    private static let text = """
        --version ./r
        -v ./r
        app-json ./r help/r report/lr set/la
        apps ./r clone/ls create/l destroy/lic exists/lr help/r list/lr lock/la locked/lr rename/ls report/lfs
        apps set/lva unlock/la
        builder ./r help/r report/lr set/la
        builder-dockerfile ./r help/r report/lr set/la
        builder-herokuish ./r help/r report/lr set/la
        builder-lambda ./r help/r report/lr set/la
        builder-nixpacks ./r help/r report/lr set/la
        builder-null help/r
        builder-pack ./r help/r report/lr set/la
        builder-railpack ./r help/r report/lr set/la
        buildpacks ./r add/lsa clear/la detect/lsa help/r list/lsn remove/lsa report/lfs set/lsa
        buildpacks set-property/la
        builds ./r cancel/la help/r info/lr list/lr output/lsBn prune/la report/lr set/la
        caddy ./r help/r labels:add/lsha labels:remove/lsha labels:show/lshn logs/stTn report/lr set/la
        caddy show-config/lsn start/l stop/l
        certs ./r add/lia chain/l generate/lia help/r key/ls remove/la report/lr rollback/l show/lsn
        certs update/lia
        checks ./r disable/la enable/la help/r report/lr run/lsa set/la skip/la
        cleanup ./la help/r
        config ./lsn bundle/lsn clear/lsa export/lsn get/lsn help/r import/lisa keys/lr set/lsa show/lsn
        config unset/lsa
        cron ./r help/r list/lsn report/lsn resume/lsh run/lshPa set/lsh suspend/lsh
        deploy ./sa
        docker-options ./sn add/lsha clear/lsa help/r list/sn remove/lsha report/lsn
        domains ./r add/la add-global/l clear/la clear-global/l disable/la enable/la help/r remove/la
        domains remove-global/l report/lr reset/la set/la set-global/l setup/a
        enter ./lishPa help/r
        events ./lstn help/r list/lr off/lE on/lE
        git ./r allow-host/l auth/lish auth-status/lish from-archive/lisa from-image/lsa generate-deploy-key/l
        git help/r initialize/la load-image/lis public-key/lr report/lr set/la status/lsa sync/lsa unlock
        git-hook ./iX
        git-receive-pack ./iX
        git-upload-archive ./iX
        git-upload-pack ./iX
        haproxy ./r help/r labels:add/lsha labels:remove/lsha labels:show/lshn logs/stTn report/lr set/l
        haproxy show-config/lsn start/l stop/l
        help ./lr
        logs ./lstTn failed/lsa help/r report/lfs set/lsv vector-logs/lsTn vector-start/ls vector-stop/l
        network ./r create/l destroy/lic exists/lr help/r info/lrs list/lrs rebuild/la rebuildall/l report/lr
        network set/la
        nginx ./r access-logs/lstn error-logs/lstn help/r reload/l report/lr set/la show-conf/sn
        nginx show-config/lsn start/l stop/l validate/s validate-config/ls
        openresty ./r help/r labels:add/lsha labels:remove/lsha labels:show/lshn logs/stTn report/lfs set/lsva
        openresty show-config/lsn start/l stop/l
        plugin ./r disable/lR enable/lR help/r install/lsR install-dependencies/lsR installed/rR list/lrs
        plugin trigger/lshR uninstall/lsR update/lsR
        ports ./r add/la clear/la help/r list/lr remove/la report/lr set/la
        proxy ./r build-config/la clear-config/la disable/la enable/la help/r ports ports-add ports-clear
        proxy ports-remove ports-set report/lr set/la
        ps ./r help/r inspect/lsn rebuild/lsa report/lfs restart/lsa restore/ls retire scale/la set/lsva
        ps start/lsa stop/la
        registry ./r help/r login/lish logout/l report/lr set/la
        repo ./r gc/la help/r purge-cache/la
        report ./s
        resource ./r help/r limit/la limit-clear/la report/lr reserve/la reserve-clear/la
        run ./lishPa detached/lsha help/r list/lsn logs/lstTn retire/la stop/l
        scheduler ./r help/r report/lr set/la
        scheduler-docker-local ./r help/r report/lr set/la
        scheduler-k3s ./r annotations:report/lsn annotations:set/lsha autoscaling-auth:report/lsn
        scheduler-k3s autoscaling-auth:set/lsha charts:report/lsn charts:set/lsh cluster:add/ls
        scheduler-k3s cluster:list/lrs cluster:remove/ls ensure-charts/ls help/r initialize/lsR
        scheduler-k3s labels:report/lsn labels:set/lsha node-sysctls:report/lr node-sysctls:set/l preview/lsa
        scheduler-k3s profiles:add/l profiles:list/lrs profiles:remove/l report/lfs set/lsva
        scheduler-k3s show-kubeconfig/lsn uninstall/lsR
        scheduler-null help/r
        shell ./licX help/r
        ssh-keys ./r add/liR help/r list/lr remove/lR
        storage ./r annotations:report/lsn annotations:set/lsh create/l destroy/lic ensure-directory/l
        storage exec/lishP help/r info/lrs labels:report/lsn labels:set/lsh list/lr list-entries/lrs migrate/l
        storage mount/la report/lrs set/l unmount/la wait/lr
        trace ./sn help/r off/lE on/lE
        traefik ./r help/r labels:add/lsha labels:remove/lsha labels:show/lshn logs/stTn report/lfs set/lsv
        traefik show-config/lsn start/ls stop/l
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
            case UInt8(ascii: "n"): traits.reach = .nothing
            case UInt8(ascii: "a"): traits.reach = .app(of: name)
            case UInt8(ascii: "E"): traits.reach = .everything
            case UInt8(ascii: "r"), UInt8(ascii: "f"):
                traits.reach = .nothing
                traits.reading = Reading(of: name, needsFlag: letter == UInt8(ascii: "f"))
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
