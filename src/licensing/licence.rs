//! The content of a licence: the fields of the form (regulations, licence form and annex), and links to what it rests on.
//!
//! *Invariant:* a [`Licence`] names the digest of the signed request and of its verification report, so that what was
//! verified is what was answered. [`LicenceTerms::check`] refuses, it never repairs.

use super::{Date, DocumentKind, LicenceNumber, RequestNumber};
use crate::crypto::Digest;
use serde::{Deserialize, Serialize};

/// The longest text of one field, in characters: a page of the blank.
pub const MAX_TEXT_CHARS: usize = 4_000;
/// The most annexes to one licence.
pub const MAX_ANNEXES: usize = 64;

/// A text in the state language and in Russian.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "server", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct Bilingual {
    /// Kazakh.
    pub kk: String,
    /// Russian.
    pub ru: String,
}

impl Bilingual {
    /// A text from its two wordings.
    pub fn new(kk: impl Into<String>, ru: impl Into<String>) -> Bilingual {
        Bilingual { kk: kk.into(), ru: ru.into() }
    }
}

/// The statement of equivalence to paper, verbatim from the licence form, Kazakh and Russian.
pub const EQUIVALENCE: [&str; 2] = [
    "Берілген құжат «Электрондық құжат және электрондық цифрлық қолтаңба туралы» 2003 жылғы 7 қаңтардағы Қазақстан \
     Республикасы Заңының 7-бабының 1-тармағына сәйкес қағаз тасығыштағы құжатқа тең.",
    "Данный документ согласно пункту 1 статьи 7 ЗРК от 7 января 2003 года «Об электронном документе и электронной \
     цифровой подписи» равнозначен документу на бумажном носителе.",
];

/// Version of the shape of [`Licence`]; a reader that does not know it must refuse.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum LicenceSchema {
    /// The first shape.
    #[serde(rename = "tamga/licence/1")]
    V1,
}

/// To whom a licence is issued.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "server", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct Holder {
    /// Individual identification number of a natural person.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub iin: Option<String>,
    /// Business identification number of a legal entity.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bin: Option<String>,
    /// «Берілді / Выдана»: full name, location and requisites of the legal entity, or the full name of the person.
    pub issued_to: String,
}

/// An annex («приложение к государственной лицензии»).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "server", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct Annex {
    /// Number of the annex, such as `001`.
    pub number: String,
    /// Subtypes of the licensed activity.
    pub activity: Bilingual,
    /// Production base and its location.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub production_base: Option<Bilingual>,
    /// Special conditions of the annex.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub special_conditions: Option<Bilingual>,
}

/// What a licence answers: the registered request and the verdict on it, by digest.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RequestLink {
    /// Number of the registered request.
    pub number: RequestNumber,
    /// Digest of the signed request as received.
    pub document: Digest,
    /// Digest of the verification report.
    pub report: Digest,
}

/// The licence whose place a reissued one takes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReplacedLicence {
    /// Its number.
    pub number: LicenceNumber,
    /// Its date of issue.
    pub issue_date: Date,
}

/// Says that a document is a duplicate, and of what.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DuplicateNote {
    /// The kind of the original.
    pub kind: DocumentKind,
    /// Digest of the sealed original.
    pub document: Digest,
    /// The day the duplicate was sealed.
    pub date: Date,
}

/// What is sealed: the content of a licence, permit, order, duplicate or refusal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Licence {
    /// Version of this shape.
    pub schema: LicenceSchema,
    /// Present on documents made with demonstration keys, and says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub demonstration: Option<String>,
    /// What kind of document it is.
    pub kind: DocumentKind,
    /// Heading of the blank.
    pub title: Bilingual,
    /// «Лицензияның нөмірі / Номер лицензии».
    pub number: LicenceNumber,
    /// «Лицензияның берілген күні / Дата выдачи лицензии».
    pub issue_date: Date,
    /// Last day of validity, where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub valid_until: Option<Date>,
    /// Id of the service in the catalogue.
    pub service: String,
    /// «Берілді / Выдана».
    pub holder: Holder,
    /// «Қызмет түрі / Вид деятельности».
    pub activity: Bilingual,
    /// «Лицензия қолданылуының айрықша жағдайлары / Особые условия действия лицензии».
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub special_conditions: Option<Bilingual>,
    /// «Лицензияны берген орган / Орган, выдавший лицензию».
    pub issuing_body: Bilingual,
    /// «Басшы (уәкілетті тұлға) / Руководитель (уполномоченное лицо)»: surname and initials.
    pub head: String,
    /// «Қала / Город».
    pub city: Bilingual,
    /// Reasons of a refusal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reasons: Option<Bilingual>,
    /// Annexes.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub annexes: Vec<Annex>,
    /// What it answers.
    pub request: RequestLink,
    /// The licence it replaces, where it is a reissued one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replaces: Option<ReplacedLicence>,
    /// Says that it is a duplicate, where it is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub duplicate: Option<DuplicateNote>,
    /// The statement of equivalence to paper, [`EQUIVALENCE`].
    pub equivalence: Bilingual,
}

impl Licence {
    /// The same content sealed once more: only the kind, the heading and the note differ.
    pub fn duplicate(&self, note: DuplicateNote) -> Licence {
        Licence {
            kind: DocumentKind::Duplicate,
            title: DocumentKind::Duplicate.title(),
            duplicate: Some(note),
            ..self.clone()
        }
    }
}

/// What an officer decides about a licence; everything else comes from the request, the catalogue and the registry.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "server", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct LicenceTerms {
    /// Full name, location and requisites of the holder.
    pub issued_to: String,
    /// Kind of activity; the catalogue's wording for the service where it is not given.
    #[serde(default)]
    pub activity: Option<Bilingual>,
    /// Special conditions of validity.
    #[serde(default)]
    pub special_conditions: Option<Bilingual>,
    /// Issuing body; the configured one where it is not given.
    #[serde(default)]
    pub issuing_body: Option<Bilingual>,
    /// Surname and initials of the head; the configured one where it is not given.
    #[serde(default)]
    pub head: Option<String>,
    /// City; the configured one where it is not given.
    #[serde(default)]
    pub city: Option<Bilingual>,
    /// Last day of validity.
    #[serde(default)]
    pub valid_until: Option<Date>,
    /// Reasons; with them the document is a reasoned refusal instead of a licence.
    #[serde(default)]
    pub reasons: Option<Bilingual>,
    /// Annexes.
    #[serde(default)]
    pub annexes: Vec<Annex>,
}

/// What is wrong with one field of [`LicenceTerms`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
pub enum TermsProblem {
    /// Nothing but white space.
    #[error("is empty")]
    Empty,
    /// Longer than [`MAX_TEXT_CHARS`], or more than [`MAX_ANNEXES`] annexes.
    #[error("is too long")]
    TooLong,
    /// A control character, which no blank can print (a line break is allowed).
    #[error("contains a control character")]
    ControlCharacter,
    /// The last day of validity lies before the day of issue.
    #[error("lies before the day of issue")]
    BeforeIssue,
    /// Two annexes have the same number.
    #[error("is used twice")]
    Repeated,
}

/// A field of [`LicenceTerms`] cannot be printed on a licence.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{field} {problem}")]
pub struct TermsRefused {
    /// JSON Pointer of the field.
    pub field: String,
    /// What is wrong with it.
    pub problem: TermsProblem,
}

impl LicenceTerms {
    /// Checks every field; the first that cannot be printed is named.
    pub fn check(&self, issue_date: Date) -> Result<(), TermsRefused> {
        check_text("/issued_to", &self.issued_to)?;
        check_optional("/activity", self.activity.as_ref())?;
        check_optional("/special_conditions", self.special_conditions.as_ref())?;
        check_optional("/issuing_body", self.issuing_body.as_ref())?;
        check_optional("/city", self.city.as_ref())?;
        check_optional("/reasons", self.reasons.as_ref())?;
        if let Some(head) = &self.head {
            check_text("/head", head)?;
        }
        if self.valid_until.is_some_and(|last| last < issue_date) {
            return Err(refused("/valid_until", TermsProblem::BeforeIssue));
        }
        if self.annexes.len() > MAX_ANNEXES {
            return Err(refused("/annexes", TermsProblem::TooLong));
        }
        let mut seen = std::collections::HashSet::new();
        for (at, annex) in self.annexes.iter().enumerate() {
            let number = format!("/annexes/{at}/number");
            check_text(&number, &annex.number)?;
            if !seen.insert(annex.number.as_str()) {
                return Err(refused(&number, TermsProblem::Repeated));
            }
            check_optional(&format!("/annexes/{at}/activity"), Some(&annex.activity))?;
            check_optional(&format!("/annexes/{at}/production_base"), annex.production_base.as_ref())?;
            check_optional(&format!("/annexes/{at}/special_conditions"), annex.special_conditions.as_ref())?;
        }
        Ok(())
    }
}

fn refused(field: &str, problem: TermsProblem) -> TermsRefused {
    TermsRefused { field: field.to_owned(), problem }
}

fn check_optional(field: &str, text: Option<&Bilingual>) -> Result<(), TermsRefused> {
    let Some(text) = text else { return Ok(()) };
    check_text(&format!("{field}/kk"), &text.kk)?;
    check_text(&format!("{field}/ru"), &text.ru)
}

fn check_text(field: &str, text: &str) -> Result<(), TermsRefused> {
    match text {
        _ if text.trim().is_empty() => Err(refused(field, TermsProblem::Empty)),
        _ if text.chars().count() > MAX_TEXT_CHARS => Err(refused(field, TermsProblem::TooLong)),
        _ if text.chars().any(|c| c.is_control() && c != '\n') => Err(refused(field, TermsProblem::ControlCharacter)),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn terms() -> LicenceTerms {
        serde_json::from_value(serde_json::json!({
            "issued_to": "ТОО «Пример», Астана",
            "annexes": [{"number": "001", "activity": {"kk": "а", "ru": "б"}}]
        }))
        .unwrap()
    }

    fn today() -> Date {
        "2026-11-22".parse().unwrap()
    }

    #[test]
    fn terms_that_no_blank_can_print_are_refused_by_field() {
        type Spoil = fn(&mut LicenceTerms);
        let cases: [(Spoil, &str, TermsProblem); 7] = [
            (|t| t.issued_to = " \n".into(), "/issued_to", TermsProblem::Empty),
            (|t| t.issued_to = "x".repeat(MAX_TEXT_CHARS + 1), "/issued_to", TermsProblem::TooLong),
            (|t| t.head = Some("a\u{0}b".into()), "/head", TermsProblem::ControlCharacter),
            (|t| t.city = Some(Bilingual::new("Астана", "")), "/city/ru", TermsProblem::Empty),
            (|t| t.valid_until = "2026-11-21".parse().ok(), "/valid_until", TermsProblem::BeforeIssue),
            (|t| t.annexes = vec![t.annexes[0].clone(); 2], "/annexes/1/number", TermsProblem::Repeated),
            (|t| t.annexes = vec![t.annexes[0].clone(); 65], "/annexes", TermsProblem::TooLong),
        ];
        assert_eq!(terms().check(today()), Ok(()));
        for (spoil, field, problem) in cases {
            let mut terms = terms();
            spoil(&mut terms);
            assert_eq!(terms.check(today()), Err(refused(field, problem)));
        }
    }

    #[test]
    fn unknown_fields_are_not_passed_over() {
        assert!(serde_json::from_str::<LicenceTerms>(r#"{"issued_to": "x", "isued_to": "y"}"#).is_err());
    }

    #[test]
    fn the_statement_of_equivalence_is_one_line_each() {
        for text in EQUIVALENCE {
            assert!(!text.contains("  ") && !text.contains('\n') && text.ends_with('.'), "{text}");
        }
        assert!(EQUIVALENCE[1].starts_with("Данный документ согласно пункту 1 статьи 7 ЗРК от 7 января 2003 года"));
    }
}
