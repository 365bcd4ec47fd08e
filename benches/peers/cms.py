"""Validates the applicant's path with pyhanko-certvalidator, lists loaded, and prints the time of one validation.

No signature of a document and no digest of its content: the path and its revocation alone, in one process.
"""
import asyncio
import pathlib
import sys
import time

from asn1crypto import crl, pem, x509
from pyhanko_certvalidator import CertificateValidator, ValidationContext

folder = pathlib.Path(sys.argv[1])


def load(name, kind):
    _, _, der = pem.unarmor((folder / name).read_bytes())
    return kind.load(der)


root, authority, applicant = (load(f"{name}.pem", x509.Certificate) for name in ("root", "authority", "applicant"))
lists = [load(f"{name}.crl", crl.CertificateList) for name in ("root", "authority")]


def validate():
    context = ValidationContext(
        trust_roots=[root], other_certs=[authority], crls=lists, allow_fetching=False, revocation_mode="require"
    )
    validator = CertificateValidator(applicant, validation_context=context)
    asyncio.run(validator.async_validate_usage({"non_repudiation"}))


validate()
rounds = []
for _ in range(5):
    start, calls = time.perf_counter(), 0
    while time.perf_counter() - start < 0.5:
        validate()
        calls += 1
    rounds.append((time.perf_counter() - start) / calls)
print(sorted(rounds)[2] * 1e6)
