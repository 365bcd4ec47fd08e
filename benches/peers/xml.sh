#!/usr/bin/env bash
# The same signed documents verified here, by xmlsec through python-xmlsec, and by the xmlsec1 program, in one run.
# Needs Python with venv, and xmlsec1. Usage: benches/peers/xml.sh [FOLDER]
set -euo pipefail
cd "$(dirname "$0")/../.."
folder=${1:-target/xml-peers}
mkdir -p "$folder"
cargo bench --bench xml -- "$(realpath "$folder")"
if [ ! -x "$folder/venv/bin/python" ]; then
    python3 -m venv "$folder/venv"
    "$folder/venv/bin/pip" install --quiet lxml xmlsec
fi
"$folder/venv/bin/python" benches/peers/xml.py "$folder"
for document in "$folder"/*-*.xml; do
    name=$(basename "$document" .xml)
    repeat=$([ "${name#*-}" = 4k ] && echo 2000 || echo 60)
    start=$(date +%s.%N)
    xmlsec1 --verify --pubkey-cert-pem "$folder/${name%-*}.pem" --enabled-key-data key-name --repeat "$repeat" "$document" >/dev/null 2>&1
    end=$(date +%s.%N)
    awk -v n="$name" -v s="$start" -v e="$end" -v r="$repeat" 'BEGIN { t = e - s; printf "xmlsec1 --repeat %s: %.1f us, %.0f/s\n", n, t / r * 1e6, r / t }'
done
