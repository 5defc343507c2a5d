// The facts about dokku's commands once more, by trait instead of by name, for the tests to hold the table against.

enum CommandFacts {
    static let count = 373
    static let listedCount = 265
    static let readOnlyCount = 192
    static let helpCount = 48

    /// All that a read-only socket lets through, but for `NAME:help`.
    static let harmless = words(
        """
        --version -v app-json app-json:report apps apps:exists apps:list apps:locked apps:report builder
        builder-dockerfile builder-dockerfile:report builder-herokuish builder-herokuish:report
        builder-lambda builder-lambda:report builder-nixpacks builder-nixpacks:report builder-pack
        builder-pack:report builder-railpack builder-railpack:report builder:report buildpacks
        buildpacks:detect buildpacks:list buildpacks:report builds builds:info builds:list builds:output
        builds:report caddy caddy:labels:show caddy:logs caddy:report caddy:show-config certs certs:report
        checks checks:report config:keys cron cron:list cron:report domains domains:report events
        events:list git git:auth-status git:public-key git:report git:status haproxy haproxy:labels:show
        haproxy:logs haproxy:report haproxy:show-config help logs logs:failed logs:report logs:vector-logs
        network network:exists network:info network:list network:report nginx nginx:access-logs
        nginx:error-logs nginx:report nginx:show-conf nginx:show-config openresty openresty:labels:show
        openresty:logs openresty:report openresty:show-config plugin plugin:installed plugin:list ports
        ports:list ports:report proxy proxy:report ps ps:report registry registry:report repo resource
        resource:report run:list run:logs scheduler scheduler-docker-local scheduler-docker-local:report
        scheduler-k3s scheduler-k3s:annotations:report scheduler-k3s:autoscaling-auth:report
        scheduler-k3s:charts:report scheduler-k3s:cluster:list scheduler-k3s:labels:report
        scheduler-k3s:node-sysctls:report scheduler-k3s:preview scheduler-k3s:profiles:list
        scheduler-k3s:report scheduler:report ssh-keys ssh-keys:list storage storage:annotations:report
        storage:info storage:labels:report storage:list storage:list-entries storage:report storage:wait
        traefik traefik:labels:show traefik:logs url urls version
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
        certs:show config config:bundle config:export config:get config:import config:set config:show
        config:unset cron:run docker-options docker-options:list docker-options:report enter git:auth ps:inspect
        registry:login report run scheduler-k3s:show-kubeconfig storage:exec trace traefik:report
        traefik:show-config
        """)

    static let internalNames = words("git-hook git-receive-pack git-upload-archive git-upload-pack shell")
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
