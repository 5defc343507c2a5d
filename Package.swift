// swift-tools-version: 6.2
import PackageDescription

let strict: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .treatAllWarnings(as: .error),
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
            swiftSettings: strict
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
