// The record of what ran: any file gives commands that can be told in one line each, and is empty from then on.

@testable import DokkuDaemon

func fuzzRunningRecord(_ bytes: [UInt8]) throws {
    let folder = try FuzzFolder()
    try folder.write(bytes, to: "running")
    do {
        guard let record = try RunningRecord(folder: folder.path) else { throw Finding("somebody has it") }
        try require(record.interrupted.count <= 1 + bytes.count / 2048, "more commands than slots")
        for command in record.interrupted {
            try require(
                command.title.utf8.count <= 2048 && !command.title.unicodeScalars.contains(where: isControl),
                "the title \(command.title.debugDescription)")
        }
    }
    let again = try RunningRecord(folder: folder.path)
    try require(again?.interrupted.isEmpty == true, "it is told twice")
}

/// What could end a line, or change how a terminal shows it.
func isControl(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar.properties.generalCategory {
    case .control, .lineSeparator, .paragraphSeparator: true
    default: false
    }
}
