//! `[services.ID]`: where the requests of a service name their applicant, and what must be signed.
//!
//! ```toml
//! [services.agency-pipelines]
//! xml_element = "/f:form/f:application"                  # what a signature must cover, instead of the whole document
//! xml_namespaces = { f = "urn:kz:form" }
//! roles = ["first-head", "right-to-sign"]
//!
//! [services.agency-pipelines.identity]                   # replaces the built-in rule as a whole
//! xml_iin = "/f:form/f:application/f:iin"
//! json_iin = "/applicant/iin"
//! ```
//!
//! *Invariant:* a path that no document could satisfy is refused at start, not found out with the first request.

use super::{Config, ConfigError, read_catalogue};
use crate::{
    format::xml::path::Path,
    licensing::{Catalogue, Service},
    pki::identity::Role,
    verify::ContentIdentityRule,
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What an installation decides about one service of the catalogue; what is not given stays as it is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ServiceSettings {
    /// XML: path of the element that a signature must cover.
    pub xml_element: Option<String>,
    /// Roles of which the signer must have one.
    pub roles: Option<Vec<Role>>,
    /// XML: prefixes of the paths.
    pub xml_namespaces: Option<BTreeMap<String, String>>,
    /// How the applicant is read out of the signed content.
    pub identity: Option<ContentIdentityRule>,
}

impl ServiceSettings {
    fn apply(&self, service: &mut Service) -> Result<(), ConfigError> {
        let refuse = |key: &str, detail: String| {
            Err(ConfigError::Value { origin: format!("services.{}.{key}", service.id), detail })
        };
        let namespaces = self.xml_namespaces.as_ref().unwrap_or(&service.xml_namespaces);
        if let Some(path) = &self.xml_element {
            match Path::parse(path, namespaces) {
                Err(error) => return refuse("xml_element", error.to_string()),
                Ok(path) if !path.names_an_element() => return refuse("xml_element", "names no element".to_owned()),
                Ok(_) => {}
            }
        }
        if let Some(rule) = &self.identity {
            for (key, path) in [("xml_iin", &rule.xml_iin), ("xml_bin", &rule.xml_bin)] {
                if let Some(Err(error)) = path.as_ref().map(|path| Path::parse(path, namespaces)) {
                    return refuse(&format!("identity.{key}"), error.to_string());
                }
            }
            for (key, pointer) in [("json_iin", &rule.json_iin), ("json_bin", &rule.json_bin)] {
                // RFC 6901 §3; the whole content cannot be twelve digits.
                if pointer.as_ref().is_some_and(|pointer| !pointer.starts_with('/')) {
                    return refuse(&format!("identity.{key}"), "a JSON pointer begins with /".to_owned());
                }
            }
            if *rule == ContentIdentityRule::default() {
                return refuse("identity", "names no place".to_owned());
            }
            service.identity = Some(rule.clone());
        }
        if let Some(namespaces) = &self.xml_namespaces {
            service.xml_namespaces = namespaces.clone();
        }
        if let Some(path) = &self.xml_element {
            service.xml_element = Some(path.clone());
        }
        if let Some(roles) = &self.roles {
            service.roles = roles.clone();
        }
        Ok(())
    }
}

impl Config {
    /// The services, built in or of the configured file, with what the installation decides about them.
    ///
    /// # Errors
    /// [`ConfigError`]: a file that cannot be read or used, a service that is not in the catalogue, or a path that is none.
    pub fn catalogue(&self) -> Result<Catalogue, ConfigError> {
        let catalogue = self.catalogue.as_deref().map_or_else(|| Ok(Catalogue::default()), read_catalogue)?;
        let mut services: Vec<Service> = catalogue.into();
        for (id, settings) in &self.services {
            let unknown = || ConfigError::Value {
                origin: format!("services.{id}"),
                detail: "is not in the catalogue".to_owned(),
            };
            settings.apply(services.iter_mut().find(|service| service.id == *id).ok_or_else(unknown)?)?;
        }
        Catalogue::try_from(services)
            .map_err(|error| ConfigError::Value { origin: "services".to_owned(), detail: error.to_string() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn catalogue(text: &str) -> Result<Catalogue, ConfigError> {
        toml::from_str::<Config>(text)
            .map_err(|error| ConfigError::Value { origin: "test".to_owned(), detail: error.to_string() })?
            .catalogue()
    }

    #[test]
    fn the_rules_of_a_service_come_from_the_configuration() {
        let text = include_str!("services.rs").split("```toml").nth(1).and_then(|rest| rest.split("```").next());
        let text = text.expect("an example").replace("//!", "");
        let changed = catalogue(&text).expect("the example is a configuration");
        let service = changed.service("agency-pipelines").expect("in the catalogue");
        let rules = service.rules();
        assert_eq!(rules.xml_element.as_deref(), Some("/f:form/f:application"));
        assert_eq!(rules.roles.len(), 2);
        let identity = rules.content_identity.expect("a rule");
        assert_eq!(identity.xml_iin.as_deref(), Some("/f:form/f:application/f:iin"));
        assert_eq!(identity.xml_bin, None, "the rule is replaced as a whole");
        let others = |catalogue: &Catalogue| catalogue.services().get(1..).map(<[Service]>::to_vec);
        assert_eq!(others(&changed), others(&Catalogue::default()));
    }

    #[test]
    fn rules_that_no_document_could_satisfy_are_refused_at_start() {
        for text in [
            "[services.nowhere]",
            "[services.agency-pipelines]\nxml_elements = \"/a\"",
            "[services.agency-pipelines]\nxml_element = \"//a\"",
            "[services.agency-pipelines]\nxml_element = \"/f:a\"",
            "[services.agency-pipelines]\nxml_element = \"/a/@b\"",
            "[services.agency-pipelines.identity]\nxml_iin = \"/a[1]\"",
            "[services.agency-pipelines.identity]\njson_iin = \"applicant\"",
            "[services.agency-pipelines.identity]",
            "[services.agency-pipelines]\nroles = [\"king\"]",
        ] {
            assert!(catalogue(text).is_err(), "{text}");
        }
    }
}
