//! What the authority issues and to whom: services, requests, licences, their numbers and states. Pure.
//!
//! A request is registered under a [`RequestNumber`], decided, and answered with a sealed document: a licence, a
//! permit, an order or a reasoned refusal under a [`LicenceNumber`]. [`LicenceState`] says what may follow.
//!
//! *Invariant:* nothing here reads a clock or a store; numbers, dates and links are arguments.

mod catalogue;
mod date;
mod licence;
mod number;
mod state;

pub use catalogue::{Catalogue, CatalogueError, Deadline, DeadlineUnit, Service};
pub use date::{Date, NotADate};
pub use licence::{
    Annex, Bilingual, DuplicateNote, EQUIVALENCE, Holder, Licence, LicenceSchema, LicenceTerms, MAX_ANNEXES,
    MAX_TEXT_CHARS, ReplacedLicence, RequestLink, TermsProblem, TermsRefused,
};
pub use number::{
    LicenceNumber, MAX_NUMBER_LEN, NumberFormat, NumberFormatError, NumbersUsedUp, PermitType, RequestNumber,
    check_digits_hold,
};
pub use state::{LicenceAction, LicenceState, RequestState, TransitionRefused};

use serde::{Deserialize, Serialize};
use std::fmt;

/// The containers that a document is sealed in: the same content, once for each.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "server", derive(utoipa::ToSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Container {
    /// Canonical JSON in attached CAdES-B: the form that identifies the document.
    Cms,
    /// XML with an enveloped XAdES-B seal.
    Xml,
}

impl Container {
    /// Every container, in the order of sealing.
    pub const ALL: [Container; 2] = [Container::Cms, Container::Xml];

    /// The name used on the wire and in the store.
    pub const fn as_str(self) -> &'static str {
        match self {
            Container::Cms => "cms",
            Container::Xml => "xml",
        }
    }

    /// The container with this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|container| container.as_str() == name)
    }
}

/// The kinds of documents an authority seals as the result of a service.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "server", derive(utoipa::ToSchema))]
#[serde(rename_all = "kebab-case")]
pub enum DocumentKind {
    /// Лицензия / лицензия.
    Licence,
    /// Переоформленная лицензия / қайта ресімделген лицензия.
    ReissuedLicence,
    /// Дубликат лицензии / лицензияның телнұсқасы.
    Duplicate,
    /// Разрешение / рұқсат.
    Permit,
    /// Приказ / бұйрық.
    Order,
    /// Мотивированный ответ об отказе / дәлелді бас тарту.
    ReasonedRefusal,
}

impl DocumentKind {
    /// Every kind.
    pub const ALL: [DocumentKind; 6] = [
        DocumentKind::Licence,
        DocumentKind::ReissuedLicence,
        DocumentKind::Duplicate,
        DocumentKind::Permit,
        DocumentKind::Order,
        DocumentKind::ReasonedRefusal,
    ];

    /// The name used on the wire and in the store.
    pub const fn as_str(self) -> &'static str {
        match self {
            DocumentKind::Licence => "licence",
            DocumentKind::ReissuedLicence => "reissued-licence",
            DocumentKind::Duplicate => "duplicate",
            DocumentKind::Permit => "permit",
            DocumentKind::Order => "order",
            DocumentKind::ReasonedRefusal => "reasoned-refusal",
        }
    }

    /// The kind with this name.
    pub fn from_name(name: &str) -> Option<DocumentKind> {
        DocumentKind::ALL.into_iter().find(|kind| kind.as_str() == name)
    }

    /// Whether a document of this kind goes through the states of a licence. An order and a refusal
    /// are acts of one moment: nothing follows them in the register.
    pub const fn has_states(self) -> bool {
        !matches!(self, DocumentKind::Order | DocumentKind::ReasonedRefusal)
    }

    /// The heading of the blank (regulations, licence form; the permit, order and refusal have no blank of their own).
    pub fn title(self) -> Bilingual {
        match self {
            DocumentKind::Licence | DocumentKind::ReissuedLicence => {
                Bilingual::new("МЕМЛЕКЕТТІК ЛИЦЕНЗИЯ", "ГОСУДАРСТВЕННАЯ ЛИЦЕНЗИЯ")
            }
            DocumentKind::Duplicate => Bilingual::new("ЛИЦЕНЗИЯНЫҢ ТЕЛНҰСҚАСЫ", "ДУБЛИКАТ ЛИЦЕНЗИИ"),
            DocumentKind::Permit => Bilingual::new("РҰҚСАТ", "РАЗРЕШЕНИЕ"),
            DocumentKind::Order => Bilingual::new("БҰЙРЫҚ", "ПРИКАЗ"),
            DocumentKind::ReasonedRefusal => Bilingual::new("ДӘЛЕЛДІ БАС ТАРТУ", "МОТИВИРОВАННЫЙ ОТВЕТ ОБ ОТКАЗЕ"),
        }
    }
}

impl fmt::Display for DocumentKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_have_the_names_serde_writes() {
        for kind in DocumentKind::ALL {
            assert_eq!(serde_json::to_value(kind).unwrap(), kind.as_str());
            assert_eq!(DocumentKind::from_name(kind.as_str()), Some(kind));
        }
    }
}
