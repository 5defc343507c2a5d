// Files of settings are read as systemd reads them: each case was compared with systemd 252.
import Testing

@testable import DokkuDaemon

@Suite struct EnvironmentFileTests {
    private func read(_ text: String) -> [String: String] { EnvironmentFile(Array(text.utf8)).variables }

    @Test(arguments: [
        ("A=b", "b"), ("A=b\n", "b"), ("  A = b c \t\n", "b c"), ("A=\n", ""), ("A=", ""),
        ("A=1\nA=2\n", "2"), ("A=b#c ; d\n", "b#c ; d"), ("#A=x\n;A=y\nA=b\n", "b"),
        ("A=\"b c \" \n", "b c "), ("A='b \"c\\'\n", "b \"c\\"), ("A=\"b\\\"\\$\\`\\x\"\n", "b\"$`\\x"),
        ("A=b\\\nc\n", "bc"), ("A=b\\ \\\"c\n", "b \"c"), ("A=\"b\nc\"\n", "b\nc"), ("A='b' 'c'\n", "bc"),
        ("A=b'c'\n", "b'c'"), ("A=b=c\n", "b=c"), ("A=b\r\n", "b"), ("A=\"b", "b"),
        ("#x\\\nA=y\nA=b", "b"),
    ]) func `a value is read as systemd reads it`(text: String, value: String) {
        #expect(read(text)["A"] == value, "\(text)")
    }

    @Test func `other lines set nothing`() {
        #expect(read("\n \nA\nB C\n").isEmpty)
        let file = EnvironmentFile(Array("export A=1\n1B=2\n=3\nC=4\n".utf8))
        #expect(file.variables == ["C": "4"])
        #expect(file.wrongNames.prefix(2) == ["export A", "1B"])
    }
}
