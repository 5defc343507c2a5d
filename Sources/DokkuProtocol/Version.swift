/// The version of the daemon and of its client, which are released together: for `--version` and `daemon:version`.
public let version = "1.0.0"
