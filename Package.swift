// swift-tools-version: 6.2
import PackageDescription

let strict: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .treatAllWarnings(as: .error),
]

// What a release build leaves out, since there is one thread, and debug builds, in which the tests run, look for
// overlapping accesses: atomic reference counts and the look-ups of accesses. Together they cost a command 5 % and a
// built-in a third (measured).
let swift: [SwiftSetting] =
    strict + [
        .unsafeFlags(
            ["-enforce-exclusivity=unchecked", "-Xfrontend", "-assume-single-threaded"],
            .when(configuration: .release))
    ]

let package = Package(
    name: "dokku-daemon",
    products: [
        .executable(name: "dokku-daemon", targets: ["DokkuDaemon"])
    ],
    targets: [
        .target(
            name: "CEpollShim",
            cSettings: [.unsafeFlags(["-Wall", "-Wextra", "-Werror"])],
            linkerSettings: [.linkedLibrary("systemd"), .linkedLibrary("jansson")]
        ),
        .executableTarget(
            name: "DokkuDaemon",
            dependencies: ["CEpollShim"],
            swiftSettings: swift,
            // Swift's own linker. The system's, where it is not gold, as on Debian 13, makes Swift's constants writable
            // and leaves what is relocated at the start so.
            linkerSettings: [.unsafeFlags(["-use-ld=lld"])]
        ),
        // The fuzzers are compiled with the tests, which look once more at what they have gathered.
        .testTarget(
            name: "DokkuDaemonTests",
            dependencies: ["DokkuDaemon", "CEpollShim"],
            path: "Tests",
            exclude: [
                "Faults", "Fuzz/LibFuzzer", "Fuzz/corpus", "Fuzz/run.sh", "Fuzz/bytes.dict",
                "Fuzz/JSONRequestDecoder.dict", "House", "IntegrationTests", "Load", "Model", "Releases",
                "StandIn", "Systemd", "leaks.supp", "sanitize",
            ],
            sources: ["DokkuDaemonTests", "Fuzz"],
            swiftSettings: strict
        ),
        .testTarget(
            name: "IntegrationTests",
            dependencies: ["CEpollShim"],
            exclude: ["Clients"],
            swiftSettings: strict
        ),
    ]
)
