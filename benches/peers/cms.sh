#!/usr/bin/env bash
# The same signed request verified here and by installed peers, in one run, with both revocation lists loaded.
# Needs openssl, and Python with venv for pyhanko-certvalidator. Usage: benches/peers/cms.sh [FOLDER]
#
# `tamga verify` judges the same file thousands of times in one process: reading the file, the report and its JSON are
# counted, and so is the start. openssl starts a process for each. pyhanko-certvalidator validates the path alone.
set -euo pipefail
cd "$(dirname "$0")/../.."
folder=${1:-target/cms-peers}
mkdir -p "$folder"
tamga=${TAMGA:-target/release/tamga}
[ -x "$tamga" ] || cargo build --release --quiet
material=$folder/data/demonstration
"$tamga" demo --data "$folder/data" >/dev/null
printf '{"service":"agency-pipelines","applicant":{"iin":"850412300123"},"text":"%s"}' \
    "$(head -c 16300 /dev/zero | tr '\0' x)" > "$folder/request.json"
"$tamga" sign "$folder/request.json" --key "$material/applicant.key" --certificate "$material/applicant.pem" \
    -o "$folder/request.cms"
cat "$material/root.pem" "$material/authority.pem" "$material/root.crl" "$material/authority.crl" > "$folder/store.pem"

# Microseconds of one run of a command that does its work so many times.
microseconds() {
    local times=$1 start end
    shift
    start=$(date +%s%N)
    "$@" >/dev/null 2>&1
    end=$(date +%s%N)
    awk -v t=$((end - start)) -v n="$times" 'BEGIN { printf "%.1f", t / n / 1000 }'
}

files=()
for _ in $(seq 5000); do files+=("$folder/request.cms"); done
ours=$(microseconds 5000 "$tamga" verify "${files[@]}" --json --iin 850412300123 --trust "$material/root.pem" \
    --intermediates "$material/authority.pem" --crl "$material/root.crl" --crl "$material/authority.crl")

openssl_once() {
    openssl cms -verify -binary -inform DER -in "$folder/request.cms" -CAfile "$folder/store.pem" \
        -crl_check_all -purpose any -out /dev/null
}
openssl_once 2>/dev/null || { echo "openssl does not accept the request" >&2; exit 1; }
openssl_many() { for _ in $(seq 100); do openssl_once; done; }
openssl=$(microseconds 100 openssl_many)

if [ ! -x "$folder/venv/bin/python" ]; then
    python3 -m venv "$folder/venv"
    "$folder/venv/bin/pip" install --quiet pyhanko-certvalidator
fi
certvalidator=$("$folder/venv/bin/python" benches/peers/cms.py "$material")

row() { awk -v name="$1" -v t="$2" -v ours="$ours" 'BEGIN { printf "%-34s %10.1f us %10.0f/s %8.1f x\n", name, t, 1e6 / t, t / ours }'; }
row "tamga verify, one process" "$ours"
row "openssl cms -verify, a process each" "$openssl"
row "pyhanko-certvalidator, path alone" "$certvalidator"
