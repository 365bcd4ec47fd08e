#!/usr/bin/env bash
# Instructions of one call of each hot path, counted by callgrind and held against benches/instructions.txt: more than 5 %
# above a figure there fails. `--accept` writes the figures of this run down instead.
#
# Counts do not depend on how busy the machine is. They depend on the compiler, on the C library, and on what valgrind's
# processor can do, so that the baseline belongs to one kind of machine. Usage: benches/instructions.sh [--accept]
set -euo pipefail
cd "$(dirname "$0")/.."
tamga=${TAMGA:-target/release/tamga}
[ -x "$tamga" ] || cargo build --release --quiet
baseline=benches/instructions.txt
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# Start and key generation are in both runs and cancel out only on the average: the loop alone is collected.
count() {
    valgrind --tool=callgrind --callgrind-out-file="$work/out" --collect-atstart=no \
        --toggle-collect='tamga::verify::verify' "$tamga" bench calls --work "$1" --times "$2" >/dev/null 2>"$work/log" ||
        { cat "$work/log" >&2; exit 1; }
    awk '/^(summary|totals):/ { print $2; exit }' "$work/out"
}

failed=0
for path in warm cold; do
    few=$(count "$path" 20)
    many=$(count "$path" 120)
    each=$(((many - few) / 100))
    before=$(awk -v p="$path" '$1 == p { print $2 }' "$baseline" 2>/dev/null || true)
    printf '%-6s %10d instructions, baseline %s\n' "$path" "$each" "${before:-none}"
    printf '%s %d\n' "$path" "$each" >> "$work/new"
    if [ "${1:-}" != --accept ] && { [ -z "$before" ] || [ $((each * 100)) -gt $((before * 105)) ]; }; then failed=1; fi
done
if [ "${1:-}" = --accept ]; then cp "$work/new" "$baseline"; fi
exit $failed
