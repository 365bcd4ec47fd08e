"""Verifies the documents of a folder with xmlsec (through python-xmlsec) and prints the time of one verification.

Parse, references and signature under the certificate's key, as `benches/xml.rs` does it; no path is built.
"""
import pathlib
import sys
import time

import lxml.etree
import xmlsec

folder = pathlib.Path(sys.argv[1])
for path in sorted(folder.glob("*-*.xml")):
    data = path.read_bytes()
    key_file = str(folder / (path.name.split("-")[0] + ".pem"))
    key = xmlsec.Key.from_file(key_file, xmlsec.KeyFormat.CERT_PEM)

    def verify():
        root = lxml.etree.fromstring(data)
        context = xmlsec.SignatureContext()
        context.key = key
        context.verify(xmlsec.tree.find_node(root, xmlsec.Node.SIGNATURE))

    verify()
    rounds = []
    for _ in range(7):
        start, calls = time.perf_counter(), 0
        while time.perf_counter() - start < 0.5:
            verify()
            calls += 1
        rounds.append((time.perf_counter() - start) / calls)
    rounds.sort()
    seconds = rounds[len(rounds) // 2]
    print(f"python-xmlsec {path.stem} ({len(data)} bytes): {seconds * 1e6:.1f} us, {1 / seconds:.0f}/s")
