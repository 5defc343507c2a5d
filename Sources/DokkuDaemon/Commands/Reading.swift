// How a command may run on a read-only socket: with which flags, and whether without any.
//
// Without a flag, with an info flag and with `--format json` dokku shows different things: a report masks a value
// in one form and prints it in another. So each flag is named here, and a command may have no other flag.

struct Reading: Equatable, Sendable {
    /// Whether one of its flags besides `--global` must be given, and one app at most. Any other form shows too
    /// much.
    let needsFlag: Bool
    /// The names of its flags, separated by blanks.
    ///
    /// `@` stands for nothing, `computed-` or `global-`; a `*` at the end stands for anything.
    let flags: Substring

    init(of name: String, needsFlag: Bool) {
        self.needsFlag = needsFlag
        flags = Self.flags[name] ?? ""
    }

    /// True if `word`, which begins with `-`, is one of the flags, alone or with `=` and a value that is not a
    /// flag.
    func allows(_ word: ArraySlice<UInt8>) -> Bool {
        let end = word.firstIndex(of: UInt8(ascii: "=")) ?? word.endIndex
        let value = word[end...].dropFirst()
        guard value.first != UInt8(ascii: "-") else { return false }
        return flags.utf8.split(separator: UInt8(ascii: " ")).contains { Self.flag(word[..<end], is: $0) }
    }

    private static let scopes = ["", "computed-", "global-"]

    private static func flag(_ word: ArraySlice<UInt8>, is pattern: Substring.UTF8View) -> Bool {
        if pattern.last == UInt8(ascii: "*") { return word.starts(with: pattern.dropLast()) }
        guard let scope = pattern.firstIndex(of: UInt8(ascii: "@")) else {
            return word.elementsEqual(pattern)
        }
        guard word.starts(with: pattern[..<scope]) else { return false }
        let rest = word.dropFirst(pattern[..<scope].count)
        let property = pattern[scope...].dropFirst()
        return scopes.contains {
            rest.starts(with: $0.utf8) && rest.dropFirst($0.utf8.count).elementsEqual(property)
        }
    }

    /// By command.
    private static let flags = parse(
        """
        app-json:report --global --format --app-json-@appjson-path --app-json-@selected
        apps:list --format
        apps:report --global --app-created-at --app-deploy-source --app-dir --app-locked
        apps:report --app-global-disable-autocreation
        builder:report --global --format --builder-detected --builder-@selected --builder-@build-dir
        builder:report --builder-@skip-cleanup
        builder-dockerfile:report --global --format --builder-dockerfile-@dockerfile-path
        builder-herokuish:report --global --format --builder-herokuish-@allowed
        builder-lambda:report --global --format --builder-lambda-@lambdayml-path
        builder-nixpacks:report --global --format --builder-nixpacks-@nixpackstoml-path
        builder-pack:report --global --format --builder-pack-@projecttoml-path
        builder-railpack:report --global --format --builder-railpack-@railpackjson-path
        buildpacks:report --global --buildpacks-@stack
        builds:info --format
        builds:list --format --kind --status
        builds:report --global --format --build-id --build-kind --build-status --build-pid --build-source
        builds:report --build-started-at --build-finished-at --build-exit-code --builds-@retention
        caddy:report --global --format --caddy-@image --caddy-@letsencrypt-email --caddy-@letsencrypt-server
        caddy:report --caddy-@log-level --caddy-@polling-interval --caddy-@tls-internal
        certs:report --global --format --ssl-dir --ssl-enabled --ssl-expires-at --ssl-hostnames --ssl-issuer
        certs:report --ssl-starts-at --ssl-subject --ssl-verified
        checks:report --global --format --checks-disabled-list --checks-skipped-list --checks-@wait-to-retire
        config:keys --global --merged
        domains:report --global --format --domains-app-enabled --domains-app-vhosts
        domains:report --domains-global-enabled --domains-global-vhosts
        git:report --global --format --git-@archive-max-files --git-@archive-max-size --git-@deploy-branch
        git:report --git-@keep-git-dir --git-last-updated-at --git-rev-env-var --git-sha --git-source-image
        haproxy:report --global --format --haproxy-@image --haproxy-@letsencrypt-email
        haproxy:report --haproxy-@letsencrypt-server --haproxy-@log-level --haproxy-@refresh-conf
        help --all
        logs:report --global --logs-@app-label-alias --logs-@max-size --logs-@vector-image
        logs:report --logs-@vector-networks
        network:list --dokku-managed
        network:report --global --format --network-@attach-post-create --network-@attach-post-deploy
        network:report --network-@bind-all-interfaces --network-@initial-network --network-@tld
        network:report --network-static-web-listener --network-web-listeners
        nginx:report --global --format --nginx-last-visited-at --nginx-@access-log-format
        nginx:report --nginx-@access-log-path --nginx-@bind-address-ipv4 --nginx-@bind-address-ipv6
        nginx:report --nginx-@client-body-timeout --nginx-@client-header-timeout --nginx-@client-max-body-size
        nginx:report --nginx-@disable-custom-config --nginx-@error-log-path --nginx-@hsts
        nginx:report --nginx-@hsts-include-subdomains --nginx-@hsts-max-age --nginx-@hsts-preload
        nginx:report --nginx-@keepalive-timeout --nginx-@lingering-timeout --nginx-@nginx-conf-sigil-path
        nginx:report --nginx-@nginx-service-command --nginx-@proxy-buffer-size --nginx-@proxy-buffering
        nginx:report --nginx-@proxy-buffers --nginx-@proxy-busy-buffers-size --nginx-@proxy-connect-timeout
        nginx:report --nginx-@proxy-keepalive --nginx-@proxy-read-timeout --nginx-@proxy-send-timeout
        nginx:report --nginx-@send-timeout --nginx-@underscore-in-headers --nginx-@x-forwarded-for-value
        nginx:report --nginx-@x-forwarded-port-value --nginx-@x-forwarded-proto-value --nginx-@x-forwarded-ssl
        openresty:report --global --openresty-@access-log-format --openresty-@access-log-path
        openresty:report --openresty-@bind-address-ipv4 --openresty-@bind-address-ipv6
        openresty:report --openresty-@client-body-timeout --openresty-@client-header-timeout
        openresty:report --openresty-@client-max-body-size --openresty-@error-log-path --openresty-@hsts
        openresty:report --openresty-@hsts-include-subdomains --openresty-@hsts-max-age
        openresty:report --openresty-@hsts-preload --openresty-@image --openresty-@keepalive-timeout
        openresty:report --openresty-@letsencrypt-email --openresty-@letsencrypt-server
        openresty:report --openresty-@lingering-timeout --openresty-@log-level --openresty-@proxy-buffer-size
        openresty:report --openresty-@proxy-buffering --openresty-@proxy-buffers
        openresty:report --openresty-@proxy-busy-buffers-size --openresty-@proxy-connect-timeout
        openresty:report --openresty-@proxy-read-timeout --openresty-@proxy-send-timeout
        openresty:report --openresty-@send-timeout --openresty-@underscore-in-headers
        openresty:report --openresty-@x-forwarded-for-value --openresty-@x-forwarded-port-value
        openresty:report --openresty-@x-forwarded-proto-value --openresty-@x-forwarded-ssl
        ports:report --global --format --ports-map --ports-map-json --ports-map-detected
        ports:report --ports-map-detected-json
        proxy:report --global --format --proxy-enabled --proxy-@disabled --proxy-@proxy-port
        proxy:report --proxy-@proxy-ssl-port --proxy-@type
        ps:report --global --deployed --processes --restore --running --status-* --@stop-timeout-seconds
        ps:report --ps-can-scale --ps-@procfile-path --ps-@restart-policy --ps-@skip-deploy
        ps:report --ps-@stop-timeout-seconds
        registry:report --global --format --registry-@image-repo --registry-@image-repo-template
        registry:report --registry-@push-extra-tags --registry-@push-on-release --registry-@server
        registry:report --registry-tag-version
        resource:report --global --format --resource-*
        scheduler:report --global --format --scheduler-@selected --scheduler-@shell
        scheduler-docker-local:report --global --format --scheduler-docker-local-@init-process
        scheduler-docker-local:report --scheduler-docker-local-@parallel-schedule-count
        scheduler-k3s:node-sysctls:report --format
        scheduler-k3s:report --global --scheduler-k3s-@cert-issuer-kind --scheduler-k3s-@cert-issuer-name
        scheduler-k3s:report --scheduler-k3s-@deploy-timeout --scheduler-k3s-@image-pull-secrets
        scheduler-k3s:report --scheduler-k3s-@ingress-class --scheduler-k3s-@kube-context
        scheduler-k3s:report --scheduler-k3s-@kubeconfig-path --scheduler-k3s-@kustomize-root-path
        scheduler-k3s:report --scheduler-k3s-@letsencrypt-email-prod --scheduler-k3s-@letsencrypt-email-stag
        scheduler-k3s:report --scheduler-k3s-@letsencrypt-server --scheduler-k3s-@namespace
        scheduler-k3s:report --scheduler-k3s-@network-interface --scheduler-k3s-@node-sysctls-image
        scheduler-k3s:report --scheduler-k3s-@node-sysctls-pause-image --scheduler-k3s-@rollback-on-failure
        scheduler-k3s:report --scheduler-k3s-@shm-size
        ssh-keys:list --format
        storage:list --format
        storage:list-entries --scheduler
        storage:report --format --storage-build-mounts --storage-deploy-mounts --storage-run-mounts
        storage:report --storage-attachment.*
        traefik:report --global --traefik-@api-enabled --traefik-@api-entry-point
        traefik:report --traefik-@api-entry-point-address --traefik-@api-vhost --traefik-@challenge-mode
        traefik:report --traefik-@dashboard-enabled --traefik-@dns-provider --traefik-@http-entry-point
        traefik:report --traefik-@https-entry-point --traefik-@image --traefik-@letsencrypt-email
        traefik:report --traefik-@letsencrypt-server --traefik-@log-level
        """)

    private static func parse(_ text: String) -> [String: Substring] {
        var table: [String: Substring] = [:]
        for line in text.split(separator: "\n") {
            guard let end = line.firstIndex(of: " ") else { continue }
            let name = String(line[..<end])
            let flags = line[end...].dropFirst()
            table[name] = table[name].map { $0 + " " + flags } ?? flags
        }
        return table
    }
}
