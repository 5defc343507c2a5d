// swift-tools-version: 6.2
import PackageDescription

let strict: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .treatAllWarnings(as: .error),
]

// Overlapping accesses are looked for at run time where the tests run, in debug builds. In release the look-ups
// alone would cost a command 3 % (measured), most of it in cold caches.
let swift: [SwiftSetting] =
    strict + [.unsafeFlags(["-enforce-exclusivity=unchecked"], .when(configuration: .release))]

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
            swiftSettings: swift
        ),
        .testTarget(
            name: "DokkuDaemonTests",
            dependencies: ["DokkuDaemon", "CEpollShim"],
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
