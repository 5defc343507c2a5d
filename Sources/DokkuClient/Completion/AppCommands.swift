// Which commands take the name of an app as their first word. dokku's list of commands does not tell it to the client.

enum AppCommands {
    /// Those of these plugins, by what stands before the first colon; the name of the plugin alone as well.
    private static let plugins = names(
        """
        acl app-json apps builder builder-dockerfile builder-herokuish builder-lambda builder-nixpacks builder-pack
        builder-railpack buildpacks builds caddy certs checks cleanup config cron docker-options domains enter git haproxy
        http-auth letsencrypt logs maintenance network nginx openresty ports proxy ps redirect registry repo resource run
        scheduler scheduler-docker-local scheduler-k3s shell storage tags traefik url urls
        """)

    /// But not these.
    private static let others = names(
        """
        apps apps:create apps:list builder builds caddy caddy:start caddy:stop domains:add-global domains:clear-global
        domains:remove-global domains:set-global git git:allow-host git:auth git:auth-status git:generate-deploy-key
        git:public-key haproxy haproxy:start haproxy:stop letsencrypt:cron-job network network:create network:destroy
        network:exists network:info network:list network:rebuildall nginx nginx:start nginx:stop openresty openresty:start
        openresty:stop scheduler-k3s:cluster:add scheduler-k3s:cluster:list scheduler-k3s:cluster:remove
        scheduler-k3s:ensure-charts scheduler-k3s:initialize scheduler-k3s:profiles:add scheduler-k3s:profiles:list
        scheduler-k3s:profiles:remove scheduler-k3s:show-kubeconfig scheduler-k3s:uninstall storage storage:create
        storage:destroy storage:ensure-directory storage:exec storage:info storage:list-entries storage:wait traefik
        traefik:start traefik:stop
        """)

    static func takesApp(_ name: String) -> Bool {
        let plugin = String(name.prefix { $0 != ":" })
        return plugins.contains(plugin) && !others.contains(name) && !name.hasSuffix(":help")
    }

    private static func names(_ text: String) -> Set<String> {
        Set(text.split { $0 == " " || $0 == "\n" }.map(String.init))
    }
}
