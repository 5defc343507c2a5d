// Where libFuzzer hands over its bytes; `FUZZER` in the environment names who gets them.
import Glibc

private let chosen: Fuzzer = {
    let name = getenv("FUZZER").map { String(cString: $0) } ?? ""
    guard let fuzzer = Fuzzer.all.first(where: { $0.description == name }) else {
        fatalError("there is no fuzzer \(name), only \(Fuzzer.all)")
    }
    return fuzzer
}()

@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ data: UnsafePointer<UInt8>?, _ size: Int) -> CInt {
    do {
        try chosen.run(Array(UnsafeBufferPointer(start: data, count: size)))
    } catch {
        fatalError("\(error)")
    }
    return 0
}
