// The version of this program, as `-v` and `daemon:version` say it.
let version = "1.0.0"
