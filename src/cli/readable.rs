//! A report for a person at a terminal.

use crate::report::{Decision, Language, Outcome, SignatureReport, Time, ValidationReport};
use std::fmt::{Display, Write as _};

/// One document's report, ending in an empty line.
pub(super) fn report(name: &str, report: &ValidationReport) -> String {
    let mut out = String::new();
    let verdict = match report.decision {
        Decision::Accepted => "ACCEPTED",
        Decision::Undetermined => "UNDETERMINED",
        Decision::Refused => "REFUSED",
    };
    let _ = writeln!(out, "{verdict}  {name}");
    if let Some(refusal) = &report.refusal {
        field(&mut out, "because", format_args!("{} ({})", refusal.message.en, refusal.code));
        field(&mut out, "", &refusal.message.ru);
    }
    let sub_indication = report.sub_indication.map(|sub| format!(" / {}", wire_name(&sub))).unwrap_or_default();
    field(&mut out, "indication", format_args!("{}{sub_indication}", wire_name(&report.indication)));
    let time = report.validation_time;
    field(&mut out, "judged", format_args!("as of {time}, policy `{}` {}", report.policy.id, report.policy.version));
    let document = &report.document;
    let form = if document.detached { "detached " } else { "" };
    field(
        &mut out,
        "document",
        format_args!("{form}{}, {} bytes, {}", document.format, document.size, document.digest),
    );
    for (index, signature) in report.signatures.iter().enumerate() {
        if report.signatures.len() > 1 {
            let _ = writeln!(
                out,
                "  signature {} of {}: {}",
                index + 1,
                report.signatures.len(),
                wire_name(&signature.decision)
            );
        }
        self::signature(&mut out, signature);
    }
    out.push('\n');
    out
}

fn signature(out: &mut String, signature: &SignatureReport) {
    if let Some(signer) = &signature.signer {
        let numbers = [("IIN", &signer.iin), ("BIN", &signer.bin)];
        let numbers =
            numbers.iter().filter_map(|(name, number)| number.as_ref().map(|number| format!(", {name} {number}")));
        let organisation = signer.organisation.as_ref().map(|name| format!(", {name}")).unwrap_or_default();
        let name = signer.common_name.as_deref().unwrap_or("(no common name)");
        field(out, "signer", format_args!("{name}{organisation}{}", numbers.collect::<String>()));
        if !signer.roles.is_empty() {
            field(out, "roles", signer.roles.join(", "));
        }
        field(
            out,
            "certificate",
            format_args!("{}, valid {} to {}", signer.serial_number, signer.not_before, signer.not_after),
        );
    }
    let claimed = signature.claimed_signing_time.map(|time: Time| format!(", claimed {time}")).unwrap_or_default();
    if let Some(algorithm) = &signature.algorithm {
        field(out, "algorithm", format_args!("{algorithm}{claimed}, level {}", signature.level));
    }
    for (index, certificate) in signature.certification_path.iter().enumerate() {
        let label = if index == 0 { "path" } else { "" };
        let anchor = if certificate.trust_anchor { "  (trust anchor)" } else { "" };
        field(out, label, format_args!("{}{anchor}", certificate.subject));
    }
    for evidence in &signature.revocation {
        let next = evidence.next_update.map(|time| format!(" to {time}")).unwrap_or_default();
        let (status, source) = (wire_name(&evidence.status), wire_name(&evidence.source));
        field(
            out,
            "revocation",
            format_args!("{}: {status} by {source} of {}{next}", evidence.certificate, evidence.this_update),
        );
    }
    for (id, outcome) in signature.checks.iter() {
        let id = id.as_str();
        let _ = match outcome {
            Outcome::Passed => writeln!(out, "    ok   {id}"),
            Outcome::NotEvaluated => writeln!(out, "    -    {id}"),
            Outcome::Warned(reason) => {
                writeln!(out, "    warn {id}: {} ({})", reason.sentence(Language::En), reason.code())
            }
            Outcome::Failed(reason) => {
                writeln!(out, "    FAIL {id}: {} ({})", reason.sentence(Language::En), reason.code())
            }
        };
    }
}

fn field(out: &mut String, label: &str, value: impl Display) {
    let _ = writeln!(out, "  {label:<12} {value}");
}

/// The name a value has in the JSON report.
fn wire_name(value: &impl serde::Serialize) -> String {
    match serde_json::to_value(value) {
        Ok(serde_json::Value::String(name)) => name,
        _ => String::new(),
    }
}
