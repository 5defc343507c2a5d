// swift-tools-version: 6.2
import PackageDescription

let strict: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .treatAllWarnings(as: .error),
]

// A release build leaves out atomic reference counts, because there is one thread, and checks for overlapping accesses,
// because the tests run in debug builds, which have them. Together they cost a command 5 % and a built-in a third (measured).
let swift: [SwiftSetting] =
    strict + [
        .unsafeFlags(
            ["-enforce-exclusivity=unchecked", "-Xfrontend", "-assume-single-threaded"],
            .when(configuration: .release))
    ]

// Warnings are errors, and a release build checks what it can of its calls of the C library (_FORTIFY_SOURCE).
let c: [CSetting] = [
    .unsafeFlags(["-Wall", "-Wextra", "-Werror"]),
    .define("_FORTIFY_SOURCE", to: "2", .when(configuration: .release)),
]

let package = Package(
    name: "dokku-daemon",
    products: [
        .executable(name: "dokku-daemon", targets: ["DokkuDaemon"]),
        .executable(name: "dokku-client", targets: ["DokkuClient"]),
    ],
    targets: [
        .target(
            name: "CEpollShim",
            cSettings: c,
            linkerSettings: [.linkedLibrary("systemd")]
        ),
        .systemLibrary(name: "CJansson", providers: [.apt(["libjansson-dev"])]),
        .systemLibrary(name: "CSQLite", providers: [.apt(["libsqlite3-dev"])]),
        .target(
            name: "DokkuProtocol",
            dependencies: ["CJansson"],
            swiftSettings: swift
        ),
        .executableTarget(
            name: "DokkuDaemon",
            dependencies: ["CEpollShim", "CSQLite", "DokkuProtocol"],
            swiftSettings: swift,
            // Swift's own linker. If the system's linker is not gold, as on Debian 13, it makes Swift's constants writable,
            // and leaves them writable after relocation. All symbols are bound at the start, so that their table is not writable, either.
            linkerSettings: [.unsafeFlags(["-use-ld=lld", "-Xlinker", "-z", "-Xlinker", "now"])]
        ),
        .target(
            name: "CClientShim",
            path: "Sources/DokkuClient/Shim",
            cSettings: c
        ),
        .executableTarget(
            name: "DokkuClient",
            dependencies: ["CClientShim", "DokkuProtocol"],
            exclude: ["Shim"],
            // Neither is used, and one `contains` of a string, or a file `main.swift`, links it: 1.4 MB and 0.7 MB.
            swiftSettings: strict + [
                .unsafeFlags([
                    "-Xfrontend", "-disable-implicit-string-processing-module-import",
                    "-Xfrontend", "-disable-implicit-concurrency-module-import",
                ])
            ],
            // It runs in images that hold nothing else.
            linkerSettings: [.unsafeFlags(["-static-executable", "-use-ld=lld"])]
        ),
        // What the test targets share. It does not know the daemon.
        .target(
            name: "TestSupport",
            path: "Tests/Support",
            swiftSettings: strict
        ),
        // SQLite's files on a disk that fails.
        .target(
            name: "CFaultyDisk",
            dependencies: ["CSQLite"],
            path: "Tests/FaultyDisk",
            cSettings: c
        ),
        // The tests include the fuzzers and replay the inputs that these have gathered.
        .testTarget(
            name: "DokkuDaemonTests",
            dependencies: [
                "DokkuDaemon", "DokkuProtocol", "CEpollShim", "CFaultyDisk", "CJansson", "CSQLite",
                "TestSupport",
            ],
            path: "Tests",
            exclude: [
                "DokkuClientTests", "Faults", "FaultyDisk", "Fuzz/LibFuzzer", "Fuzz/corpus", "Fuzz/run.sh",
                "Fuzz/bytes.dict",
                "Fuzz/JSONRequestDecoder.dict", "Fuzz/ReplyLine.dict", "House", "IntegrationTests", "Kill",
                "Load",
                "Model", "Packaging", "Releases", "StandIn", "Support", "Systemd", "all", "leaks.supp",
                "sanitize",
            ],
            sources: ["DokkuDaemonTests", "Fuzz"],
            swiftSettings: strict
        ),
        // It has the client's own folders by links. The client itself would make the whole test bundle a static executable.
        .testTarget(
            name: "DokkuClientTests",
            dependencies: ["CClientShim", "DokkuProtocol"],
            swiftSettings: strict
        ),
        .testTarget(
            name: "IntegrationTests",
            dependencies: ["CEpollShim", "TestSupport"],
            exclude: ["Clients"],
            swiftSettings: strict
        ),
    ]
)
