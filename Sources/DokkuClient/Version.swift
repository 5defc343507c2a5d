// The version of this program, for `-v` and `daemon:version`.
let version = "1.0.0"
