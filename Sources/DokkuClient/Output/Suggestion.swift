// Which name somebody meant who wrote another one.

enum Suggestion {
    /// The nearest of the names if it is one or two letters off, and less in a short name; nil if nothing is near.
    static func nearest(to word: String, among names: [String]) -> String? {
        let letters = Array(word.unicodeScalars)
        let limit = letters.count < 4 ? 1 : 2
        var best: (name: String, distance: Int)?
        for name in names where name != word {
            let other = Array(name.unicodeScalars)
            guard abs(other.count - letters.count) <= limit, other.count > 1 else { continue }
            let distance = distance(letters, other)
            guard distance <= limit else { continue }
            if let best, (best.distance, best.name) <= (distance, name) { continue }
            best = (name, distance)
        }
        return best?.name
    }

    /// How many letters have to be added, left out, replaced, or exchanged with the next one, none of them twice
    /// (restricted Damerau-Levenshtein).
    static func distance(_ first: [Unicode.Scalar], _ second: [Unicode.Scalar]) -> Int {
        if first.isEmpty || second.isEmpty { return max(first.count, second.count) }
        var before: [Int] = []
        var last = Array(0...second.count)
        for row in 1...first.count {
            var current = [row]
            for column in 1...second.count {
                let isSame = first[row - 1] == second[column - 1]
                var least = min(
                    last[column] + 1, current[column - 1] + 1, last[column - 1] + (isSame ? 0 : 1))
                if row > 1, column > 1, first[row - 1] == second[column - 2],
                    first[row - 2] == second[column - 1]
                {
                    least = min(least, before[column - 2] + 1)
                }
                current.append(least)
            }
            (before, last) = (last, current)
        }
        return last[second.count]
    }
}
