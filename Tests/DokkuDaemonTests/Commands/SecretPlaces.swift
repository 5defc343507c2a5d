// Where commands take a secret, for what plants one there and looks for it in what is written down.

enum SecretPlaces {
    /// Where dokku 0.38 takes a secret, by its own parsers. `§` is the secret, `A` a harmless word. A plugin may take
    /// one in any place but the first.
    static let all = [
        "config:set A K=§", "config:set A K=§ K2=§", "config:set A §", "config:set --no-restart A K §",
        "config:set --global K=§", "config:set --global §", "config:set --encoded A K=§",
        "config:set A K=A§A",
        "config:set A K=u:§@A", "config:set A K=https://u:§@h/", "config:set A K=https://h/?t=§",
        "--app A config:set §", "--app A config:set K=§", "--quiet --app A config:set --no-restart §",
        "registry:login A A §", "registry:login A A A §", "registry:login --global A A §",
        "--app A registry:login §",
        "registry:login --password-stdin A § §", "registry:login -p§ A", "git:auth A A §",
        "--app A git:auth A §",
        "--app A git:auth §", "git:auth-status A A §", "git:sync A https://§@h/A.git",
        "git:sync A https://u:§@h/A.git A",
        "git:sync A u:§@h:A.git", "git:sync --build A https://u:§@h/A", "git:from-archive A https://h/A?§",
        "git:from-archive A https://h/A?sig=§", "git:from-archive --archive-type zip A https://u:§@h/A A A",
        "buildpacks:add A https://u:§@h/A", "buildpacks:set --index 1 A https://§@h/A",
        "buildpacks:remove A https://u:§@h/A", "plugin:install https://u:§@h/A --name A",
        "plugin:install git+ssh://u:§@h/A", "plugin:trigger A §", "plugin:trigger A A A §",
        "apps:set A deploy-source-metadata §", "apps:set A deploy-source-metadata https://u:§@h/A",
        "logs:set A vector-sink §", "logs:set --global vector-sink datadog://?default_api_key=§",
        "logs:set A vector-cron-sink §", "--app A logs:set vector-sink §", "logs:set vector-sink §",
        "traefik:set --global basic-auth-password §", "traefik:set --global dns-provider-A §",
        "traefik:set basic-auth-password §", "traefik:labels:add A A u:§", "traefik:labels:add A A=§",
        "--app A traefik:labels:add A §", "caddy:labels:add A A §", "haproxy:labels:add A A §",
        "openresty:labels:add A A §", "traefik:labels:remove A §", "traefik:labels:show A §",
        "openresty:set --global allowed-letsencrypt-domains-func-base64 §",
        "scheduler-k3s:set --global token §", "k3s:set --global token §", "k3s:set token §",
        "scheduler-k3s:charts:set A.adminPassword §", "k3s:charts:set A.A §", "--app A k3s:charts:set §",
        "scheduler-k3s:autoscaling-auth:set A A --metadata K=§",
        "k3s:autoscaling-auth:set --global A --metadata K=§",
        "scheduler-k3s:annotations:set A A §", "scheduler-k3s:labels:set --process-type A A A §",
        "scheduler-k3s:labels:set --global A §", "scheduler-k3s:cluster:add ssh://u:§@h:22",
        "scheduler-k3s:cluster:add --kubelet-args K=§ ssh://u@h",
        "scheduler-k3s:initialize --kubelet-args K=§",
        "scheduler-k3s:profiles:add --kubelet-args K=§ A", "storage:annotations:set A A §",
        "storage:labels:set A A §", "storage:create --annotation K=§ A", "storage:set A --label K=§",
        "docker-options:add A deploy --env=§", "docker-options:add A deploy -e K=§",
        "docker-options:add A deploy \"-p §\"",
        "docker-options:add A deploy \"--password §\"", "docker-options:add A deploy \"--env K=§\"",
        "docker-options:remove A build --build-arg K=§", "docker-options:add A run §",
        "--app A docker-options:add §",
        "run A A §", "run A A -p§", "run -e K=§ A A", "run --env=K=§ A A", "run --env K=§ A A",
        "--app A run §",
        "run:detached A A §", "run:detached -e K=§ A A", "enter A A A §", "enter A --container-id A §",
        "storage:exec A A §", "cron:run A §", "cron:suspend A §", "cron:resume A §",
        "cron:set A maintenance.§ A",
        "ps:set A start-cmd §", "ps:set A start-cmd \"A --password §\"", "apps:create A \"--password §\"",
        "domains:add A --token §", "domains:add A --api-key §", "domains:add A --api_key §",
        "resource:limit --secret §",
        "postgres:create A --password §", "postgres:create A -p §", "http-auth:on A A §",
        "letsencrypt:set A A §",
        "redis:connect A §", "mysql:create A --custom-env K=§", "--app A postgres:create §",
        "--app=§ apps:list",
        "apps:list K=§", "apps:list https://h/A?§", "apps:report A=§",
        "nginx:set A x-forwarded-for-value K=§",
    ]

    /// The words of a place, quoted ones kept together.
    static func words(of place: String) -> [String] {
        var words: [String] = []
        for (index, part) in place.split(separator: "\"", omittingEmptySubsequences: false).enumerated() {
            if index % 2 == 1 {
                words.append(String(part))
            } else {
                words += part.split(separator: " ").map(String.init)
            }
        }
        return words
    }
}
