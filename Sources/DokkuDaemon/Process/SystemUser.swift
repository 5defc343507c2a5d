// The user that dokku's commands run as if the daemon is root.
//
// If root starts dokku, dokku runs itself again through `sudo -u dokku` for nearly every command. sudo writes the
// whole command line, with its secrets, into the caller's journal, and takes half the time of a short command. So
// the daemon starts such a command as that user itself, and dokku has nothing to change.
import CEpollShim
import Glibc

/// Who a command starts as.
enum Identity: Hashable {
    /// The daemon's own user.
    case daemon
    /// dokku's user, if the daemon can change to it.
    case systemUser
    /// dokku's user, with the name of an ssh key: as if the command came over ssh. Never anybody else.
    case keyHolder(String)
}

/// An entry of the user database, passwd(5).
struct Account: Equatable {
    var name: String
    var user: uid_t
    var group: gid_t
    var home: String

    init?(_ entry: UnsafePointer<passwd>?) {
        guard let entry = entry?.pointee, let name = entry.pw_name, let home = entry.pw_dir else {
            return nil
        }
        self.name = String(cString: name)
        user = entry.pw_uid
        group = entry.pw_gid
        self.home = String(cString: home)
    }

    static func named(_ name: String) -> Account? {
        look { entry, buffer, size, found in getpwnam_r(name, entry, buffer, size, found) }
    }

    static func numbered(_ user: uid_t) -> Account? {
        look { entry, buffer, size, found in getpwuid_r(user, entry, buffer, size, found) }
    }

    private static func look(
        _ call: (
            UnsafeMutablePointer<passwd>, UnsafeMutablePointer<CChar>, Int,
            UnsafeMutablePointer<UnsafeMutablePointer<passwd>?>
        ) -> Int32
    ) -> Account? {
        withUnsafeTemporaryAllocation(of: CChar.self, capacity: 16 * 1024) { buffer in
            var entry = passwd()
            var found: UnsafeMutablePointer<passwd>?
            guard let memory = buffer.baseAddress, call(&entry, memory, buffer.count, &found) == 0 else {
                return nil
            }
            return Account(found)
        }
    }
}

/// Looks up the user, and again when the user database has changed. A change is noticed within a second.
final class SystemUser {
    private static let database = "/etc/passwd"
    private static let interval = Duration.seconds(1)

    let name: String
    let ownUser: uid_t
    private var stamp: FileStamp?
    private var lookedAt: Instant?
    private var found: Account?

    /// `name` is `DOKKU_SYSTEM_USER`.
    init(name: String, ownUser: uid_t = geteuid()) {
        self.name = name
        self.ownUser = ownUser
    }

    /// The user to change to; nil if no user has that name, if the daemon already is that user, or if it is not
    /// root and cannot change.
    func current() -> Account? {
        guard ownUser == 0 else { return nil }
        return account().flatMap { $0.user == ownUser ? nil : $0 }
    }

    /// The user of that name.
    func account() -> Account? {
        let now = Instant.now
        if let lookedAt, now - lookedAt < Self.interval { return found }
        lookedAt = now
        let stamp = FileStamp(Self.database)
        if stamp != self.stamp {
            self.stamp = stamp
            found = Account.named(name)
        }
        return found
    }

    /// Why no command can be started as `Identity.keyHolder`; nil if it can.
    var complaint: String? {
        guard let account = account() else { return "there is no user \(name)" }
        if account.user == 0 { return "user \(name) is root" }
        guard ownUser == 0 || ownUser == account.user else {
            return "only root can start commands as user \(name)"
        }
        return nil
    }
}
