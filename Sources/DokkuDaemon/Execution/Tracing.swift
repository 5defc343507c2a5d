// Whether dokku traces what it does. It then prints every value that it reads, whatever the command.
import Glibc

struct Tracing {
    /// `DOKKU_ROOT`; nil: the home of dokku's user.
    private let root: String?

    init(environment: [String: String]) { root = environment["DOKKU_ROOT"] }

    /// True as long as the file of `trace:on` is there (dokku's plugins/trace/subcommands/on). Costs an access(2).
    var isOn: Bool {
        guard let root = root ?? Account.named("dokku")?.home else { return false }
        return access("\(root)/.dokkurc/DOKKU_TRACE", F_OK) == 0
    }
}

extension Refusal {
    static let traced = Refusal(
        code: .denied,
        text: "Not allowed on this read-only socket while dokku traces what it does (trace:off ends that)")
}
