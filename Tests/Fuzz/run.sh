#!/bin/bash
# Builds the fuzzers with the real sources, without optimisation, and runs each for the given number of seconds (default
# 10). It fails at the first finding, and prints where the input is kept. FUZZERS selects some of the fuzzers. If GATHER is
# set, it writes the inputs that reach most branches with fewest bytes to corpus/, which the tests replay.
set -euo pipefail

seconds=${1:-10}
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
build=${FUZZ_BUILD:-$root/.build/fuzz}
# The most files of the kept corpus, and the most bytes of each.
most=40
longest=4096
read -ra fuzzers <<<"${FUZZERS:-$(sed -n 's/.*description: "\(.*\)", run.*/\1/p' "$here/Fuzzer.swift" | tr '\n' ' ')}"

# The crash reports of Swift's runtime read other stacks, which the address sanitizer reports as an error.
export SWIFT_BACKTRACE=enable=no ASAN_OPTIONS=detect_leaks=0

compile() {
    mkdir -p "$build/CEpollShim"
    printf 'module CEpollShim {\n    header "%s"\n    link "systemd"\n}\n' \
        "$root/Sources/CEpollShim/include/CEpollShim.h" >"$build/CEpollShim/module.modulemap"
    local object objects=() source sources=() parts=()
    local options=(-Onone -gline-tables-only -swift-version 6 -parse-as-library -package-name fuzz "-sanitize=fuzzer,address"
        -I "$build" -I "$build/CEpollShim" -I "$root/Sources/CJansson")
    for source in "$root"/Sources/CEpollShim/*.c; do
        object=$build/$(basename "$source").o
        clang -g -fsanitize=address -I "$root/Sources/CEpollShim/include" -c "$source" -o "$object"
        objects+=("$object")
    done
    local module
    for module in DokkuProtocol DokkuDaemon; do
        sources=()
        while read -r source; do sources+=("$source"); done < <(
            find "$root/Sources/$module" -name '*.swift' ! -name main.swift)
        swiftc "${options[@]}" -wmo -enable-testing -module-name "$module" \
            -emit-module-path "$build/$module.swiftmodule" -emit-object -o "$build/$module.o" "${sources[@]}"
    done
    while read -r source; do parts+=("$source"); done < <(find "$here" -name '*.swift' ! -name ReplayTests.swift)
    swiftc "${options[@]}" -module-name Fuzz -o "$build/fuzz" "${parts[@]}" "$root"/Tests/DokkuDaemonTests/Support/MergedOutput.swift \
        "$root"/Tests/DokkuDaemonTests/Commands/SecretPlaces.swift "$build"/Dokku*.o "${objects[@]}"
}

# Prints the finding from the log of a run, and fails.
tell() {
    grep -a -e 'Fatal error' -e ERROR -e 'Test unit' "$1" || tail -n 20 "$1"
    exit 1
}

gather() {
    local kept=$here/corpus/$1 file
    rm -rf "$build/merged" "$kept"
    mkdir -p "$build/merged" "$kept"
    FUZZER=$1 "$build/fuzz" -merge=1 -max_len=$longest "$build/merged" "$build/corpus/$1" >"$build/$1.log" 2>&1 ||
        tell "$build/$1.log"
    # The smallest first, because short inputs reach most of what long ones reach.
    while read -r file; do cp "$file" "$kept/"; done < <(
        find "$build/merged" -type f -printf '%s %p\n' | sort -n | cut -d' ' -f2- | awk -v most=$most '
            { files[NR] = $0 }
            END { step = NR > most ? NR / most : 1; for (at = 1; at <= NR; at += step) print files[int(at)] }')
}

compile >"$build.log" 2>&1 || { cat "$build.log" && exit 1; }
for fuzzer in "${fuzzers[@]}"; do
    echo "$fuzzer: $seconds s"
    log=$build/$fuzzer.log
    corpus=$build/corpus/$fuzzer
    mkdir -p "$corpus" "$here/corpus/$fuzzer"
    dictionary=bytes.dict
    [[ -e $here/$fuzzer.dict ]] && dictionary=$fuzzer.dict
    # The input of a finding is written beside the fuzzer. New inputs go to the corpus.
    FUZZER=$fuzzer "$build/fuzz" -max_total_time="$seconds" -max_len=65536 -timeout=20 -print_final_stats=1 \
        -dict="$here/$dictionary" -artifact_prefix="$build/$fuzzer-" "$corpus" "$here/corpus/$fuzzer" \
        >"$log" 2>&1 || tell "$log"
    grep -a number_of_executed_units "$log"
    [[ -z ${GATHER:-} ]] || gather "$fuzzer"
done
echo "No findings."
