// Lines of cells that stand below each other.

struct Table {
    struct Cell: Equatable {
        var text: String
        var colour: Colour?

        /// `text` may be anything.
        init(_ text: String, _ colour: Colour? = nil) {
            self.text = Printable.text(text)
            self.colour = colour
        }
    }

    /// The names of the columns, or none. A column without text has no place.
    private let header: [String]
    private var rows: [[Cell]] = []

    init(_ header: [String]) { self.header = header }

    mutating func add(_ cells: [Cell]) { rows.append(cells) }

    /// The lines: each as long as it is, or cut to that width.
    func lines(width: Int? = nil, hasHeader: Bool = true, hasColours: Bool = false) -> [String] {
        let rows = (hasHeader && !header.isEmpty ? [header.map { Cell($0) }] : []) + rows
        let count = rows.map(\.count).max() ?? 0
        let widths = (0..<count).map { column in
            let isUsed =
                self.rows.isEmpty || self.rows.contains { column < $0.count && !$0[column].text.isEmpty }
            return isUsed
                ? rows.map { column < $0.count ? Printable.columns($0[column].text) : 0 }.max() ?? 0 : 0
        }
        return rows.map { line($0, widths, limit: width ?? .max, hasColours) }
    }

    private func line(_ cells: [Cell], _ widths: [Int], limit: Int, _ hasColours: Bool) -> String {
        var line = ""
        var place = 0
        for (column, cell) in cells.enumerated() where widths[column] > 0 {
            let text = Printable.cut(cell.text, to: limit - place)
            let isLast = widths[(column + 1)...].allSatisfy { $0 == 0 }
            line += hasColours && !text.isEmpty ? cell.colour?.paint(text) ?? text : text
            place += Printable.columns(text)
            if isLast || place >= limit { break }
            let blanks = min(limit - place, widths[column] + 2 - Printable.columns(text))
            line += String(repeating: " ", count: max(0, blanks))
            place += max(0, blanks)
        }
        while line.last == " " { line.removeLast() }
        return line
    }
}
