// Facts about the commands of dokku 0.36 to 0.38, in a form that a person can check and that is read once.

enum CommandTable {
    /// By full name.
    static let traits = parse(text)

    /// A line is a name up to its first colon, then what follows the colon (`.`: nothing does), each with letters:
    ///
    /// `l` listed, `r` read-only, `i` reads standard input, `c` asks to confirm, `R` needs root, `s` secret;
    /// endless: `A` always, `t` with `-t`, `T` with `--tail`, `P` as its program, `X` internal.
    private static let text = """
        --version ./r
        -v ./r
        app-json ./r help/r report/lr set/l
        apps ./r clone/l create/l destroy/lic exists/lr help/r list/lr lock/l locked/lr rename/l report/lr
        apps set/l unlock/l
        builder ./r help/r report/lr set/l
        builder-dockerfile ./r help/r report/lr set/l
        builder-herokuish ./r help/r report/lr set/l
        builder-lambda ./r help/r report/lr set/l
        builder-nixpacks ./r help/r report/lr set/l
        builder-null help/r
        builder-pack ./r help/r report/lr set/l
        builder-railpack ./r help/r report/lr set/l
        buildpacks ./r add/l clear/l detect/lr help/r list/lr remove/l report/lr set/l set-property/l
        builds ./r cancel/l help/r info/lr list/lr output/lrA prune/l report/lr set/l
        caddy ./r help/r labels:add/l labels:remove/l labels:show/lr logs/rtT report/lr set/l show-config/lr
        caddy start/l stop/l
        certs ./r add/li chain/l generate/li help/r key/l remove/l report/lr rollback/l show/lrs update/li
        checks ./r disable/l enable/l help/r report/lr run/l set/l skip/l
        cleanup ./l help/r
        config ./lrs bundle/lrs clear/l export/lrs get/lrs help/r import/lis keys/lr set/ls show/lrs
        config unset/ls
        cron ./r help/r list/lr report/lr resume/l run/lsP set/l suspend/l
        deploy .
        docker-options ./rs add/l clear/l help/r list/rs remove/l report/lrs
        domains ./r add/l add-global/l clear/l clear-global/l disable/l enable/l help/r remove/l
        domains remove-global/l report/lr reset/l set/l set-global/l setup
        enter ./lisP help/r
        events ./lrt help/r list/lr off/l on/l
        git ./r allow-host/l auth/lis auth-status/lri from-archive/li from-image/l generate-deploy-key/l
        git help/r initialize/l load-image/li public-key/lr report/lr set/l status/lr sync/l unlock
        git-hook ./iX
        git-receive-pack ./iX
        git-upload-archive ./riX
        git-upload-pack ./riX
        haproxy ./r help/r labels:add/l labels:remove/l labels:show/lr logs/rtT report/lr set/l
        haproxy show-config/lr start/l stop/l
        help ./lr
        logs ./lrtT failed/lr help/r report/lr set/l vector-logs/lrT vector-start/l vector-stop/l
        network ./r create/l destroy/lic exists/lr help/r info/lr list/lr rebuild/l rebuildall/l report/lr
        network set/l
        nginx ./r access-logs/lrt error-logs/lrt help/r reload/l report/lr set/l show-conf/r show-config/lr
        nginx start/l stop/l validate validate-config/l
        openresty ./r help/r labels:add/l labels:remove/l labels:show/lr logs/rtT report/lr set/l
        openresty show-config/lr start/l stop/l
        plugin ./r disable/lR enable/lR help/r install/lR install-dependencies/lR installed/rR list/lr
        plugin trigger/lR uninstall/lR update/lR
        ports ./r add/l clear/l help/r list/lr remove/l report/lr set/l
        proxy ./r build-config/l clear-config/l disable/l enable/l help/r ports ports-add ports-clear
        proxy ports-remove ports-set report/lr set/l
        ps ./r help/r inspect/lrs rebuild/l report/lr restart/l restore/l retire scale/l set/l start/l
        ps stop/l
        registry ./r help/r login/lis logout/l report/lr set/l
        repo ./r gc/l help/r purge-cache/l
        report ./rs
        resource ./r help/r limit/l limit-clear/l report/lr reserve/l reserve-clear/l
        run ./lisP detached/l help/r list/lr logs/lrtT retire/l stop/l
        scheduler ./r help/r report/lr set/l
        scheduler-docker-local ./r help/r report/lr set/l
        scheduler-k3s ./r annotations:report/lr annotations:set/l autoscaling-auth:report/lr
        scheduler-k3s autoscaling-auth:set/l charts:report/lr charts:set/l cluster:add/l cluster:list/lr
        scheduler-k3s cluster:remove/l ensure-charts/l help/r initialize/lR labels:report/lr labels:set/l
        scheduler-k3s node-sysctls:report/lr node-sysctls:set/l preview/lr profiles:add/l profiles:list/lr
        scheduler-k3s profiles:remove/l report/lr set/l show-kubeconfig/lrs uninstall/lR
        scheduler-null help/r
        shell ./licX help/r
        ssh-keys ./r add/liR help/r list/lr remove/lR
        storage ./r annotations:report/lr annotations:set/l create/l destroy/lic ensure-directory/l
        storage exec/lisP help/r info/lr labels:report/lr labels:set/l list/lr list-entries/lr migrate/l
        storage mount/l report/lr set/l unmount/l wait/lr
        trace ./rs help/r off/l on/l
        traefik ./r help/r labels:add/l labels:remove/l labels:show/lr logs/rtT report/lrs set/l
        traefik show-config/lrs start/l stop/l
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
                table[name] = traits(parts.count > 1 ? parts[1] : "".utf8[...])
            }
        }
        return table
    }

    private static func traits(_ letters: Substring.UTF8View) -> CommandTraits {
        var traits = CommandTraits()
        var flags: [String] = []
        for letter in letters {
            switch letter {
            case UInt8(ascii: "l"): traits.isListed = true
            case UInt8(ascii: "r"): traits.isReadOnly = true
            case UInt8(ascii: "i"): traits.readsInput = true
            case UInt8(ascii: "c"): traits.confirms = true
            case UInt8(ascii: "R"): traits.needsRoot = true
            case UInt8(ascii: "s"): traits.showsSecret = true
            case UInt8(ascii: "A"): traits.endless = .always
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
