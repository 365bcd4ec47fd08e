#!/usr/bin/env python3
"""Runs the service for a time under load and watches its memory: idle, at the peak, and whether it grows.

Usage: benches/soak.py [SECONDS] [CONNECTIONS]      TAMGA names the binary, else target/release/tamga
Each connection sends the same signed request again when it is answered. Exit 1 where an answer was none of 200 and 503,
or where the memory of the last quarter is more than a tenth above that of the second.
"""
import json
import base64
import os
import pathlib
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request

seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 3600
connections = int(sys.argv[2]) if len(sys.argv) > 2 else 16
tamga = os.path.abspath(os.environ.get("TAMGA", "target/release/tamga"))


def resident(process):
    """(anonymous, mapped) memory in MB: pages of a mapped index are shared and counted apart."""
    fields = dict(line.split(":", 1) for line in pathlib.Path(f"/proc/{process.pid}/status").read_text().splitlines())
    megabytes = lambda name: int(fields[name].split()[0]) / 1000
    return megabytes("RssAnon"), megabytes("RssFile")


with tempfile.TemporaryDirectory() as folder:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    log = open(os.path.join(folder, "log"), "w")
    service = subprocess.Popen(
        [tamga, "serve", "--data", os.path.join(folder, "data"), "--listen", f"127.0.0.1:{port}"], stderr=log
    )
    try:
        for _ in range(600):
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=1)
                break
            except OSError:
                time.sleep(0.1)
        material = pathlib.Path(folder, "data", "demonstration")
        token = next(l.split()[1] for l in (material / "tokens.txt").read_text().splitlines() if l.startswith("portal"))
        content = {"service": "agency-pipelines", "applicant": {"iin": "850412300123"}, "text": "x" * 16000}
        pathlib.Path(folder, "request.json").write_text(json.dumps(content))
        signed = os.path.join(folder, "request.cms")
        subprocess.run(
            [tamga, "sign", os.path.join(folder, "request.json"), "--key", material / "applicant.key",
             "--certificate", material / "applicant.pem", "-o", signed], check=True,
        )
        document = base64.b64encode(pathlib.Path(signed).read_bytes()).decode()
        body = json.dumps({"document": document, "applicant": {"iin": "850412300123"}}).encode()
        call = (
            f"POST /v1/verifications HTTP/1.1\r\nHost: soak\r\nAuthorization: Bearer {token}\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        ).encode() + body
        time.sleep(1)
        idle = resident(service)
        counts, lock, end = {}, threading.Lock(), time.monotonic() + seconds

        def load():
            own = {}
            stream = socket.create_connection(("127.0.0.1", port))
            while time.monotonic() < end:
                stream.sendall(call)
                answer = b""
                while b"\r\n\r\n" not in answer:
                    part = stream.recv(65536)
                    if not part:
                        own["closed"] = own.get("closed", 0) + 1
                        stream, answer = socket.create_connection(("127.0.0.1", port)), b""
                        stream.sendall(call)
                        continue
                    answer += part
                head, rest = answer.split(b"\r\n\r\n", 1)
                length = next(int(l.split(b":")[1]) for l in head.split(b"\r\n") if l.lower().startswith(b"content-length"))
                while len(rest) < length:
                    rest += stream.recv(65536)
                status = head[9:12].decode()
                own[status] = own.get(status, 0) + 1
            with lock:
                for status, count in own.items():
                    counts[status] = counts.get(status, 0) + count

        threads = [threading.Thread(target=load) for _ in range(connections)]
        for thread in threads:
            thread.start()
        samples = []
        while time.monotonic() < end:
            time.sleep(min(1.0, seconds / 40))
            samples.append(resident(service))
        for thread in threads:
            thread.join()
    finally:
        service.terminate()
        service.wait()

quarter = max(1, len(samples) // 4)
mean = lambda part: sum(sample[0] for sample in part) / len(part)
second, last = mean(samples[quarter:2 * quarter] or samples), mean(samples[-quarter:])
print(f"idle {idle[0]:.1f} MB of its own, {idle[1]:.1f} MB mapped")
print(f"peak {max(s[0] for s in samples):.1f} MB of its own, {max(s[1] for s in samples):.1f} MB mapped")
print(f"second quarter {second:.1f} MB, last quarter {last:.1f} MB")
print(f"{sum(counts.values()) / seconds:.0f} answers/s: {counts}")
sys.exit(0 if set(counts) <= {"200", "503"} and last <= 1.1 * second else 1)
