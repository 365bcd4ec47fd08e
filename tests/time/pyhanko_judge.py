"""Judges CMS documents as pyHanko does, and reads archive time-stamps as EN 319 122-1 writes them.

Takes the path of a manifest, a JSON list of cases {name, document, trust, lists, at}, and prints one JSON object for
each: {name, indication, sub_indication, level, archive}. The signature and its time-stamp are judged by pyHanko's
EN 319 102-1 with the evidence that the document carries and the lists of the case; nothing is fetched. pyHanko does
not know archive-time-stamp-v3: here its imprint is worked out anew from the text of the standard, and the token is
judged by pyHanko.
"""

import asyncio
import hashlib
import json
import sys
from datetime import datetime

from asn1crypto import algos, cms, core, crl, pem, tsp, x509
from pyhanko.sign.validation import ades, generic_cms
from pyhanko.sign.validation.policy_decl import (
    LocalKnowledge,
    RevinfoOnlineFetchingRule,
    RevocationInfoGatheringSpec,
    SignatureValidationSpec,
)
from pyhanko.sign.validation.settings import KeyUsageConstraints
from pyhanko_certvalidator.context import CertValidationPolicySpec
from pyhanko_certvalidator.policy_decl import CertRevTrustPolicy, RevocationCheckingPolicy
from pyhanko_certvalidator.registry import SimpleTrustManager
from pyhanko_certvalidator.revinfo.archival import CRLContainer
try:
    from pyhanko_certvalidator.context import ValidationTimingInfo
except ImportError:
    from pyhanko_certvalidator.policy_decl import ValidationTimingInfo

SIGNATURE_TIME_STAMP = "1.2.840.113549.1.9.16.2.14"
ARCHIVE_TIME_STAMP_V3 = "0.4.0.1733.2.4"
HASH_INDEX_V3 = "0.4.0.19122.1.5"


class Digests(core.SequenceOf):
    _child_spec = core.OctetString


class HashIndexV3(core.Sequence):
    _fields = [
        ("hash_ind_algorithm", algos.DigestAlgorithm),
        ("certificates", Digests),
        ("crls", Digests),
        ("unsigned", Digests),
    ]


def octets(path):
    with open(path, "rb") as file:
        data = file.read()
    return pem.unarmor(data)[2] if pem.detect(data) else data


def unsigned_values(signer):
    """Pairs of attrType and value, each whole."""
    attributes = signer["unsigned_attrs"]
    if isinstance(attributes, core.Void):
        return []
    found = []
    for attribute in attributes:
        kind = attribute["type"]
        for value in attribute["values"]:
            found.append((kind.dotted, kind.dump(), value.dump()))
    return found


def archive_holds(signed_data, signer, token):
    """EN 319 122-1 5.5.3: the imprint is over type, digest of the content, fields of the signer, index."""
    own = token["signer_infos"][0]
    indexes = [value for kind, _, value in unsigned_values(own) if kind == HASH_INDEX_V3]
    if len(indexes) != 1:
        return False
    index = HashIndexV3.load(indexes[0])
    info = tsp.TSTInfo.load(token["encap_content_info"]["content"].contents)
    algorithm = info["message_imprint"]["hash_algorithm"]["algorithm"].native
    if index["hash_ind_algorithm"]["algorithm"].native != algorithm:
        return False
    digest = lambda data: hashlib.new(algorithm, data).digest()
    present = [digest(choice.dump()) for choice in signed_data["certificates"]]
    if any(d.native not in present for d in index["certificates"]):
        return False
    lists = signed_data["crls"]
    present = [] if isinstance(lists, core.Void) else [digest(choice.dump()) for choice in lists]
    if any(d.native not in present for d in index["crls"]):
        return False
    present = [digest(kind + value) for _, kind, value in unsigned_values(signer)]
    if any(d.native not in present for d in index["unsigned"]):
        return False
    content = signed_data["encap_content_info"]["content"].contents
    fields = ["version", "sid", "digest_algorithm", "signed_attrs", "signature_algorithm", "signature"]
    stamped = signed_data["encap_content_info"]["content_type"].dump() + digest(content)
    stamped += b"".join(signer[field].dump() for field in fields) + indexes[0]
    return info["message_imprint"]["hashed_message"].native == digest(stamped)


async def judge(case):
    try:
        info = cms.ContentInfo.load(octets(case["document"]), strict=True)
        if info["content_type"].native != "signed_data":
            raise ValueError("not SignedData")
        signed_data = info["content"]
        signer = generic_cms.extract_signer_info(signed_data)
        carried = signed_data["crls"]
        carried = [] if isinstance(carried, core.Void) else [c.chosen for c in carried if c.name == "crl"]
        values = unsigned_values(signer)
    except Exception as error:
        return {"indication": "FAILED", "sub_indication": f"FORMAT_FAILURE {type(error).__name__}"}
    roots = [x509.Certificate.load(octets(path)) for path in case["trust"]]
    lists = [crl.CertificateList.load(octets(path)) for path in case["lists"]]
    policy = CertValidationPolicySpec(
        trust_manager=SimpleTrustManager.build(roots, extra_trust_roots=None),
        revinfo_policy=CertRevTrustPolicy(RevocationCheckingPolicy.from_legacy("require"), retroactive_revinfo=False),
    )
    # Certificates of tokens and document alike are hints.
    certificates = [c.chosen for c in signed_data["certificates"] if c.name == "certificate"]
    spec = SignatureValidationSpec(
        cert_validation_policy=policy,
        ts_cert_validation_policy=policy,
        revinfo_gathering_policy=RevocationInfoGatheringSpec(RevinfoOnlineFetchingRule.LOCAL_ONLY),
        local_knowledge=LocalKnowledge(known_crls=[CRLContainer(one) for one in lists + carried], known_certs=certificates),
        key_usage_settings=KeyUsageConstraints(key_usage={"non_repudiation"}),
    )
    at = datetime.fromisoformat(case["at"].replace("Z", "+00:00"))
    timing = ValidationTimingInfo(validation_time=at, best_signature_time=at, point_in_time_validation=True)
    stamped = any(kind == SIGNATURE_TIME_STAMP for kind, _, _ in values)
    validate = ades.ades_with_time_validation if stamped else ades.ades_basic_validation
    try:
        result = await validate(signed_data, spec, timing_info=timing)
    except Exception as error:
        return {"indication": "FAILED", "sub_indication": type(error).__name__}
    archive = [archive_holds(signed_data, signer, cms.ContentInfo.load(value)["content"])
               for kind, _, value in values if kind == ARCHIVE_TIME_STAMP_V3]
    sub_indication = result.ades_subindic
    return {
        "indication": sub_indication.status.name,
        "sub_indication": sub_indication.name,
        "archive": archive,
    }


async def main():
    with open(sys.argv[1]) as file:
        cases = json.load(file)
    for case in cases:
        print(json.dumps({"name": case["name"], **await judge(case)}))


asyncio.run(main())
