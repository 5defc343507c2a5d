// The facts about dokku's commands once more, by trait instead of by name, for the tests to hold the table against.

enum CommandFacts {
    static let count = 373
    static let listedCount = 265
    static let readOnlyCount = 141
    static let helpCount = 48

    /// All that a read-only socket lets through in some form, but for `NAME:help`.
    static let harmless = words(
        """
        --version -v app-json app-json:report apps apps:exists apps:list apps:locked apps:report
        builder builder-dockerfile builder-dockerfile:report builder-herokuish
        builder-herokuish:report builder-lambda builder-lambda:report builder-nixpacks
        builder-nixpacks:report builder-pack builder-pack:report builder-railpack
        builder-railpack:report builder:report buildpacks buildpacks:report builds builds:info
        builds:list builds:report caddy caddy:report certs certs:report checks checks:report
        config:keys cron domains domains:report events:list git git:public-key git:report haproxy
        haproxy:report help logs:report network network:exists network:info network:list
        network:report nginx nginx:report openresty openresty:report plugin plugin:installed
        plugin:list ports ports:list ports:report proxy proxy:report ps ps:report registry
        registry:report repo resource resource:report scheduler scheduler-docker-local
        scheduler-docker-local:report scheduler-k3s scheduler-k3s:cluster:list
        scheduler-k3s:node-sysctls:report scheduler-k3s:profiles:list scheduler-k3s:report
        scheduler:report ssh-keys ssh-keys:list storage storage:info storage:list
        storage:list-entries storage:report storage:wait traefik traefik:report url urls version
        """)

    /// Not in the help, but for `NAME:help`.
    static let unlisted = words(
        """
        --version -v app-json apps builder builder-dockerfile builder-herokuish builder-lambda
        builder-nixpacks builder-pack builder-railpack buildpacks builds caddy caddy:logs certs checks
        cron deploy docker-options docker-options:list domains domains:setup git git-hook git-receive-pack
        git-upload-archive git-upload-pack git:unlock haproxy haproxy:logs network nginx nginx:show-conf
        nginx:validate openresty openresty:logs plugin plugin:installed ports proxy proxy:ports
        proxy:ports-add proxy:ports-clear proxy:ports-remove proxy:ports-set ps ps:retire registry repo
        report resource scheduler scheduler-docker-local scheduler-k3s ssh-keys storage trace traefik
        traefik:logs
        """)

    static let readInput = words(
        """
        apps:destroy certs:add certs:generate certs:update config:import enter git-hook git-receive-pack
        git-upload-archive git-upload-pack git:auth git:auth-status git:from-archive git:load-image
        network:destroy registry:login run shell ssh-keys:add storage:destroy storage:exec
        """)

    static let confirm = words("apps:destroy network:destroy shell storage:destroy")

    static let needRoot = words(
        """
        plugin:disable plugin:enable plugin:install plugin:install-dependencies plugin:installed plugin:trigger
        plugin:uninstall plugin:update scheduler-k3s:initialize scheduler-k3s:uninstall ssh-keys:add
        ssh-keys:remove
        """)

    static let secret = words(
        """
        apps:clone apps:rename apps:report buildpacks:add buildpacks:detect buildpacks:list
        buildpacks:remove buildpacks:report buildpacks:set builds:output caddy:labels:add
        caddy:labels:remove caddy:labels:show caddy:logs caddy:show-config certs:key certs:show
        checks:run config config:bundle config:clear config:export config:get config:import
        config:set config:show config:unset cron:list cron:report cron:resume cron:run cron:set
        cron:suspend deploy docker-options docker-options:add docker-options:clear
        docker-options:list docker-options:remove docker-options:report enter events git:auth
        git:auth-status git:from-archive git:from-image git:load-image git:status git:sync
        haproxy:labels:add haproxy:labels:remove haproxy:labels:show haproxy:logs
        haproxy:show-config logs logs:failed logs:report logs:set logs:vector-logs logs:vector-start
        network:info network:list
        nginx:access-logs nginx:error-logs nginx:show-conf nginx:show-config nginx:validate
        nginx:validate-config openresty:labels:add openresty:labels:remove openresty:labels:show
        openresty:logs openresty:report openresty:set openresty:show-config plugin:install
        plugin:install-dependencies plugin:list plugin:trigger plugin:uninstall plugin:update
        ps:inspect ps:rebuild ps:report ps:restart ps:restore ps:set ps:start registry:login report
        run run:detached run:list run:logs scheduler-k3s:annotations:report
        scheduler-k3s:annotations:set scheduler-k3s:autoscaling-auth:report
        scheduler-k3s:autoscaling-auth:set scheduler-k3s:charts:report scheduler-k3s:charts:set
        scheduler-k3s:cluster:add scheduler-k3s:cluster:list scheduler-k3s:cluster:remove
        scheduler-k3s:ensure-charts scheduler-k3s:profiles:list
        scheduler-k3s:initialize scheduler-k3s:labels:report scheduler-k3s:labels:set
        scheduler-k3s:preview scheduler-k3s:report scheduler-k3s:set scheduler-k3s:show-kubeconfig
        scheduler-k3s:uninstall storage:annotations:report storage:annotations:set storage:exec
        storage:info storage:labels:report storage:labels:set storage:list-entries storage:report
        trace traefik:labels:add traefik:labels:remove traefik:labels:show traefik:logs
        traefik:report traefik:set traefik:show-config traefik:start
        """)

    static let internalNames = words("git-hook git-receive-pack git-upload-archive git-upload-pack shell")
    /// Run on a read-only socket with one of their flags only.
    static let needFlag = words(
        """
        apps:report buildpacks:report logs:report openresty:report ps:report scheduler-k3s:report
        traefik:report
        """)

    /// Of their words a log shows one, and two.
    static let showOneWord = words(
        """
        caddy:labels:add caddy:labels:remove caddy:labels:show cron:resume cron:run cron:set
        cron:suspend docker-options:add docker-options:remove enter git:auth git:auth-status
        haproxy:labels:add haproxy:labels:remove haproxy:labels:show openresty:labels:add
        openresty:labels:remove openresty:labels:show plugin:trigger registry:login run run:detached
        scheduler-k3s:annotations:set scheduler-k3s:autoscaling-auth:set scheduler-k3s:charts:set
        scheduler-k3s:labels:set storage:annotations:set storage:exec storage:labels:set
        traefik:labels:add traefik:labels:remove traefik:labels:show
        """)
    static let showTwoWords = words(
        """
        apps:set logs:set openresty:set ps:set scheduler-k3s:set traefik:set
        """)

    static let programs = words("cron:run enter run storage:exec")
    static let following = [
        "-t": words("events nginx:access-logs nginx:error-logs"),
        "--tail": words("logs:vector-logs"),
        "-t --tail": words("caddy:logs haproxy:logs logs openresty:logs run:logs traefik:logs"),
    ]

    static func words(_ text: String) -> [String] {
        text.split(whereSeparator: \.isWhitespace).map(String.init)
    }
}
