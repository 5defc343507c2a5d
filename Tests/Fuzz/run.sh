#!/bin/sh
# Builds each fuzzer with the real sources, without optimisation, and runs it for so many seconds (default 10).
# Ends non-zero at the first finding, and says where its input is kept. FUZZERS names some of them.
set -eu

seconds=${1:-10}
root=$(cd "$(dirname "$0")/../.." && pwd)
build=${FUZZ_BUILD:-$root/.build/fuzz}
sources=$root/Sources/DokkuDaemon/Protocol
parts="AnsiFilter ArgumentList Base64Encoder JSONRequest JSONRequestDecoder JSONSalvage JSONShape JSONStringEncoder JSONValue
    LineFramer OutputEncoder OutputStream PartialCharacter Refusal RequestID ShellWords"
fuzzers=${FUZZERS:-"LineFramer ShellWords OutputEncoder JSONRequestDecoder"}

set --
for part in $parts; do set -- "$@" "$sources/$part.swift"; done
set -- "$@" "$root/Tests/DokkuDaemonTests/Support/MergedOutput.swift"

mkdir -p "$build/CEpollShim"
cat >"$build/CEpollShim/module.modulemap" <<MAP
module CEpollShim {
    header "$root/Sources/CEpollShim/include/CEpollShim.h"
    link "jansson"
}
MAP

# The runtime's own crash reports read other stacks, which the address sanitizer takes for a fault.
export SWIFT_BACKTRACE=enable=no

for fuzzer in $fuzzers; do
    echo "$fuzzer: $seconds s"
    log=$build/$fuzzer.log
    swiftc -Onone -g -swift-version 6 -parse-as-library -sanitize=fuzzer,address -module-name "${fuzzer}Fuzzer" \
        -I "$build/CEpollShim" -o "$build/$fuzzer" \
        "$root"/Tests/Fuzz/FuzzInput.swift "$root/Tests/Fuzz/${fuzzer}Fuzzer.swift" "$@" \
        >"$log" 2>&1 || { cat "$log" && exit 1; }
    corpus=$build/corpus/$fuzzer
    mkdir -p "$corpus"
    dictionary=bytes.dict
    if [ "$fuzzer" = JSONRequestDecoder ]; then
        dictionary=json.dict
        printf '%s' '{"id":7,"command":["config:set","a b"],"stream":true,"stdin_length":9,"timeout":1.5}' >"$corpus/seed1"
        printf '%s' '{"id":"x","command":"a b","stdin":"","encoding":"base64","on_disconnect":"cancel"}' >"$corpus/seed2"
    fi
    # A finding's input is written beside the fuzzer; what is new goes to the corpus.
    "$build/$fuzzer" -max_total_time="$seconds" -max_len=512 -timeout=10 -print_final_stats=1 \
        -dict="$root/Tests/Fuzz/$dictionary" -artifact_prefix="$build/$fuzzer-" "$corpus" \
        >"$log" 2>&1 || { grep -a -e 'Fatal error' -e ERROR -e 'Test unit' "$log" && exit 1; }
    grep -a number_of_executed_units "$log"
done
echo "No findings."
