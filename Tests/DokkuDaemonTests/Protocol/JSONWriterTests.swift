// Objects and arrays are valid JSON, whatever they hold.
import Foundation
import Testing

@testable import DokkuProtocol

@Suite struct JSONWriterTests {
    @Test func `values stand in their order with commas between them`() {
        var json = JSONWriter()
        json.addObject { json in
            json.add("text", "a \"b\"\n")
            json.add("number", UInt64.max)
            json.addArray("empty") { _ in }
            json.addArray("items") { json in
                json.add(nil, "[")
                json.add(nil, -1)
                json.addObject { _ in }
                json.addObject { $0.add("flag", true) }
                json.addNull(nil)
            }
            json.addNull("none")
        }
        #expect(
            json.text
                == #"{"text":"a \"b\"\n","number":18446744073709551615,"empty":[],"#
                + #""items":["[",-1,{},{"flag":true},null],"none":null}"#)
    }

    @Test(arguments: ["", "{", "[", ",", "\u{0}\u{7f}\u{e9}\u{1f600}", "\\", "\u{2028}"])
    func `any text comes back`(text: String) throws {
        var json = JSONWriter()
        json.addArray { json in
            json.add(nil, text)
            json.add(nil, text)
        }
        #expect(try JSONDecoder().decode([String].self, from: Data(json.bytes)) == [text, text])
    }
}
