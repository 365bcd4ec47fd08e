#!/usr/bin/env bash
# How the service grows with what it is given: cores, size of the document, entries of the revocation list.
# Each point is a line "curve x value unit". A registry of a million licences is `cargo test --test registry -- --ignored`.
# Usage: benches/curves.sh [cores|documents|lists]...
set -euo pipefail
cd "$(dirname "$0")/.."
tamga=$(realpath "${TAMGA:-target/release/tamga}")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
curves=("$@")
[ ${#curves[@]} -gt 0 ] || curves=(cores documents lists)

cores() {
    local n figures
    for n in $(seq "$(nproc)"); do
        figures=$(cd "$work" && taskset -c "0-$((n - 1))" "$tamga" bench --json --overload 1)
        printf 'cores %d %s verifications/s over HTTP\n' "$n" \
            "$(python3 -c 'import json,sys; print(round(json.load(sys.stdin)["http"]["service_per_second"]))' <<<"$figures")"
    done
}

documents() {
    local material=$work/data/demonstration size times start end files
    "$tamga" demo --data "$work/data" >/dev/null
    for size in 1024 8192 65536 524288 4194304 33554432; do
        head -c "$size" /dev/zero | tr '\0' x > "$work/content"
        "$tamga" sign "$work/content" --key "$material/applicant.key" --certificate "$material/applicant.pem" -o "$work/cms"
        times=$((size < 1048576 ? 2000 : 20))
        files=()
        for _ in $(seq "$times"); do files+=("$work/cms"); done
        start=$(date +%s%N)
        "$tamga" verify "${files[@]}" --json --trust "$material/root.pem" --intermediates "$material/authority.pem" \
            --crl "$material/root.crl" --crl "$material/authority.crl" >/dev/null
        end=$(date +%s%N)
        printf 'documents %d %d us\n' "$size" "$(((end - start) / times / 1000))"
    done
}

lists() {
    (cd "$work" && "$tamga" bench crl --json --entries 1000,10000,100000,1000000,10000000) | python3 -c '
import json, sys
for line in sys.stdin:
    figures = json.loads(line)
    for name, unit in (("import_cpu_ms", "ms of one core to import"), ("lookup_listed_ns", "ns to look up")):
        print("lists", figures["entries"], round(figures[name], 1), unit)'
}

for curve in "${curves[@]}"; do "$curve"; done
