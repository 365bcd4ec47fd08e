//! The services an authority renders, and how each finds the applicant's number in what was signed.
//!
//! The regulations fix six services; amounts, lists of documents and letters of numbers are configuration, so a
//! catalogue can be replaced as a whole. A request keeps the edition it was registered under.
//!
//! *Invariant:* ids are unique in a [`Catalogue`], and so are the letters of numbers.

use super::{Bilingual, Date, DocumentKind, PermitType};
use crate::format::xml::path::Path;
use crate::pki::identity::Role;
use crate::verify::{ContentIdentityRule, ServiceRules};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What a deadline counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DeadlineUnit {
    /// Every day.
    CalendarDay,
    /// Days that are neither weekend nor holiday by the working calendar.
    WorkingDay,
}

/// The longest time from registration to result; the day of registration is not counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Deadline {
    /// How many.
    pub value: u32,
    /// Of what.
    pub unit: DeadlineUnit,
}

impl Deadline {
    /// The last day, where it follows from the calendar alone; working days need a table of holidays.
    pub fn last_day(self, registered: Date) -> Option<Date> {
        match self.unit {
            DeadlineUnit::CalendarDay => registered.plus_days(self.value),
            DeadlineUnit::WorkingDay => None,
        }
    }
}

/// One service of the catalogue.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Service {
    /// Id, such as `agency-pipelines`.
    pub id: String,
    /// The edition of the regulation, such as `2014`.
    pub edition: String,
    /// Name of the service.
    pub name: Bilingual,
    /// Kind of activity, as printed on the licence where the officer gives no other.
    pub activity: Bilingual,
    /// What a positive decision is issued as.
    pub result: DocumentKind,
    /// Letters of the numbers of its documents.
    pub permit_type: PermitType,
    /// How the applicant is read out of the signed content; without a rule only declaration and certificate are
    /// compared.
    #[serde(default)]
    pub identity: Option<ContentIdentityRule>,
    /// Roles of which the signer must have one; empty where any will do.
    #[serde(default)]
    pub roles: Vec<Role>,
    /// XML requests: path of the element that a signature must cover; the whole document where it is not given.
    #[serde(default)]
    pub xml_element: Option<String>,
    /// XML requests: prefixes of the paths.
    #[serde(default)]
    pub xml_namespaces: BTreeMap<String, String>,
    /// The longest time to the result.
    #[serde(default)]
    pub deadline: Option<Deadline>,
}

impl Service {
    /// The first of its paths that is none: a rule that never finds anything would refuse every request.
    fn broken_path(&self) -> Option<&String> {
        let rule = self.identity.as_ref();
        let json = [rule.and_then(|rule| rule.json_iin.as_ref()), rule.and_then(|rule| rule.json_bin.as_ref())];
        let xml = [rule.and_then(|rule| rule.xml_iin.as_ref()), rule.and_then(|rule| rule.xml_bin.as_ref())];
        let xml = xml.into_iter().chain([self.xml_element.as_ref()]).flatten();
        // RFC 6901 §3: empty, or every token after a slash.
        let mut json = json.into_iter().flatten().filter(|path| !path.is_empty() && !path.starts_with('/'));
        json.next().or_else(|| xml.into_iter().find(|path| Path::parse(path, &self.xml_namespaces).is_err()))
    }

    /// What the verification of its requests asks beyond the policy.
    pub fn rules(&self) -> ServiceRules {
        ServiceRules {
            content_identity: self.identity.clone(),
            roles: self.roles.clone(),
            xml_element: self.xml_element.clone(),
            xml_namespaces: self.xml_namespaces.clone(),
        }
    }
}

/// A catalogue that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CatalogueError {
    /// Two services have one id.
    #[error("service {id} stands twice in the catalogue")]
    RepeatedId {
        /// The id.
        id: String,
    },
    /// A path that leads nowhere in any document.
    #[error("service {id}: {path:?} is not a path into a document")]
    Path {
        /// The service.
        id: String,
        /// The path.
        path: String,
    },
    /// Two services share the letters of their numbers.
    #[error("services {first} and {second} share the letters of their numbers")]
    RepeatedLetters {
        /// One of them.
        first: String,
        /// The other.
        second: String,
    },
    /// A result that is not the outcome of a request.
    #[error("service {id} cannot result in: {kind}")]
    Result {
        /// The id.
        id: String,
        /// The kind.
        kind: DocumentKind,
    },
}

/// All services.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Vec<Service>", into = "Vec<Service>")]
pub struct Catalogue(Vec<Service>);

impl Catalogue {
    /// The service with this id.
    pub fn service(&self, id: &str) -> Option<&Service> {
        self.0.iter().find(|service| service.id == id)
    }

    /// Every service, in the order of the catalogue.
    pub fn services(&self) -> &[Service] {
        &self.0
    }

    /// The six services of the regulations in their last edition. The letters of numbers and the places of IIN and
    /// BIN in the content are not in the regulations: neutral examples.
    pub fn of_the_regulations() -> Catalogue {
        Catalogue(BUILT_IN.iter().filter_map(BuiltIn::service).collect())
    }
}

impl Default for Catalogue {
    fn default() -> Catalogue {
        Catalogue::of_the_regulations()
    }
}

impl TryFrom<Vec<Service>> for Catalogue {
    type Error = CatalogueError;

    fn try_from(services: Vec<Service>) -> Result<Catalogue, CatalogueError> {
        for (at, service) in services.iter().enumerate() {
            if !matches!(service.result, DocumentKind::Licence | DocumentKind::Permit | DocumentKind::Order) {
                return Err(CatalogueError::Result { id: service.id.clone(), kind: service.result });
            }
            if let Some(path) = service.broken_path() {
                return Err(CatalogueError::Path { id: service.id.clone(), path: path.clone() });
            }
            for earlier in services.iter().take(at) {
                if earlier.id == service.id {
                    return Err(CatalogueError::RepeatedId { id: service.id.clone() });
                }
                if earlier.permit_type == service.permit_type {
                    return Err(CatalogueError::RepeatedLetters {
                        first: earlier.id.clone(),
                        second: service.id.clone(),
                    });
                }
            }
        }
        Ok(Catalogue(services))
    }
}

impl From<Catalogue> for Vec<Service> {
    fn from(catalogue: Catalogue) -> Vec<Service> {
        catalogue.0
    }
}

struct BuiltIn {
    id: &'static str,
    edition: &'static str,
    kk: &'static str,
    ru: &'static str,
    activity_kk: &'static str,
    activity_ru: &'static str,
    result: DocumentKind,
    letters: &'static str,
    deadline: Deadline,
}

impl BuiltIn {
    fn service(&self) -> Option<Service> {
        Some(Service {
            id: self.id.to_owned(),
            edition: self.edition.to_owned(),
            name: Bilingual::new(self.kk, self.ru),
            activity: Bilingual::new(self.activity_kk, self.activity_ru),
            result: self.result,
            permit_type: PermitType::new(self.letters)?,
            identity: Some(ContentIdentityRule {
                json_iin: Some("/applicant/iin".to_owned()),
                json_bin: Some("/applicant/bin".to_owned()),
                xml_iin: Some("/request/applicant/iin".to_owned()),
                xml_bin: Some("/request/applicant/bin".to_owned()),
            }),
            roles: Vec::new(),
            xml_element: None,
            xml_namespaces: BTreeMap::new(),
            deadline: Some(self.deadline),
        })
    }
}

const fn working_days(value: u32) -> Deadline {
    Deadline { value, unit: DeadlineUnit::WorkingDay }
}

const fn calendar_days(value: u32) -> Deadline {
    Deadline { value, unit: DeadlineUnit::CalendarDay }
}

const BUILT_IN: [BuiltIn; 6] = [
    BuiltIn {
        id: "agency-pipelines",
        edition: "2014",
        kk: "Магистральдық газ құбырларын, мұнай құбырларын, мұнай өнімдері құбырларын пайдалану жөніндегі қызметке \
             лицензия беру, қайта ресімдеу, лицензияның телнұсқаларын беру",
        ru: "Выдача лицензии, переоформление, выдача дубликатов лицензии на деятельность по эксплуатации магистральных \
             газопроводов, нефтепроводов, нефтепродуктопроводов",
        activity_kk: "Магистральдық газ құбырларын, мұнай құбырларын, мұнай өнімдері құбырларын пайдалану",
        activity_ru: "Эксплуатация магистральных газопроводов, нефтепроводов, нефтепродуктопроводов",
        result: DocumentKind::Licence,
        letters: "LPE",
        deadline: working_days(15),
    },
    BuiltIn {
        id: "agency-electricity-purchase",
        edition: "2014",
        kk: "Энергиямен жабдықтау мақсатында электр энергиясын сатып алу жөніндегі қызметке лицензия беру, қайта \
             ресімдеу, лицензияның телнұсқаларын беру",
        ru: "Выдача лицензии, переоформление, выдача дубликатов лицензии на деятельность по покупке электрической \
             энергии в целях энергоснабжения",
        activity_kk: "Энергиямен жабдықтау мақсатында электр энергиясын сатып алу",
        activity_ru: "Покупка электрической энергии в целях энергоснабжения",
        result: DocumentKind::Licence,
        letters: "LEP",
        deadline: working_days(15),
    },
    BuiltIn {
        id: "comm-licence",
        edition: "2012",
        kk: "Байланыс саласындағы қызметтерді көрсетуге лицензия беру, қайта ресімдеу, лицензияның телнұсқасын беру",
        ru: "Выдача лицензии, переоформление, выдача дубликата лицензии на оказание услуг в области связи",
        activity_kk: "Байланыс саласындағы қызметтерді көрсету",
        activity_ru: "Оказание услуг в области связи",
        result: DocumentKind::Licence,
        letters: "LCS",
        deadline: calendar_days(15),
    },
    BuiltIn {
        id: "numbering-resource",
        edition: "2012",
        kk: "Нөмірлеу ресурсын бөлу және нөмірлерді беру, сондай-ақ оларды алып қою",
        ru: "Распределение ресурса нумерации и выделение номеров, а также их изъятие",
        activity_kk: "Нөмірлеу ресурсын пайдалану",
        activity_ru: "Использование ресурса нумерации",
        result: DocumentKind::Order,
        letters: "ONR",
        deadline: calendar_days(30),
    },
    BuiltIn {
        id: "rf-spectrum-permit",
        edition: "2012",
        kk: "Қазақстан Республикасының радиожиілік спектрін пайдалануға рұқсат беру",
        ru: "Выдача разрешения на использование радиочастотного спектра Республики Казахстан",
        activity_kk: "Қазақстан Республикасының радиожиілік спектрін пайдалану",
        activity_ru: "Использование радиочастотного спектра Республики Казахстан",
        result: DocumentKind::Permit,
        letters: "PRS",
        deadline: calendar_days(60),
    },
    BuiltIn {
        id: "res-hfd-permit",
        edition: "2012",
        kk: "Радиоэлектрондық құралдар мен жоғары жиілікті құрылғыларды пайдалануға рұқсат беру",
        ru: "Выдача разрешения на эксплуатацию радиоэлектронных средств и высокочастотных устройств",
        activity_kk: "Радиоэлектрондық құралдар мен жоғары жиілікті құрылғыларды пайдалану",
        activity_ru: "Эксплуатация радиоэлектронных средств и высокочастотных устройств",
        result: DocumentKind::Permit,
        letters: "PRE",
        deadline: calendar_days(16),
    },
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_built_in_catalogue_keeps_its_own_rules() {
        let services: Vec<Service> = Catalogue::of_the_regulations().into();
        assert_eq!(services.len(), BUILT_IN.len());
        assert_eq!(Catalogue::try_from(services), Ok(Catalogue::default()));
    }

    #[test]
    fn a_catalogue_in_which_two_services_could_share_a_number_is_refused() {
        let mut services: Vec<Service> = Catalogue::default().into();
        services[1].permit_type = services[0].permit_type;
        assert!(matches!(Catalogue::try_from(services.clone()), Err(CatalogueError::RepeatedLetters { .. })));
        services[1].id = services[0].id.clone();
        assert!(matches!(Catalogue::try_from(services), Err(CatalogueError::RepeatedId { .. })));
        let mut services: Vec<Service> = Catalogue::default().into();
        services[0].result = DocumentKind::Duplicate;
        assert!(matches!(Catalogue::try_from(services), Err(CatalogueError::Result { .. })));
    }

    #[test]
    fn a_deadline_does_not_count_the_day_of_registration() {
        let registered: Date = "2026-11-20".parse().unwrap();
        assert_eq!(calendar_days(16).last_day(registered).unwrap().to_string(), "2026-12-06");
        assert_eq!(working_days(15).last_day(registered), None);
    }
}
