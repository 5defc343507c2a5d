// What the rules `name=` and `allow=` of a socket need of the host, checked before anything is served.
import DokkuProtocol

struct RightsCheck {
    /// Why no command can be started with the name of an ssh key; nil if it can.
    let keyHolderComplaint: String?
    let lists: AllowFolder

    /// What is missing or wrong, a line for each fault. A list that is right is used from now on.
    func faults(of rules: ListenerRules) -> [String] {
        var faults: [String] = []
        if let user = rules.user, let keyHolderComplaint {
            faults.append("name=\(user) cannot be used: \(keyHolderComplaint)")
        }
        if let list = rules.list { faults += lists.use(list) }
        return faults
    }
}
