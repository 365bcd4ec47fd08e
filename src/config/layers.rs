//! One layer over another: file, then environment.

use super::Config;
use std::{ffi::OsString, io, path::Path};
use toml::{Table, Value};

/// Why there is no configuration.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// A file that is named cannot be read.
    #[error("cannot read {path}: {reason}")]
    Unreadable {
        /// The file.
        path: String,
        /// What the system said.
        reason: String,
    },
    /// A key nobody knows, or a value that does not fit it.
    #[error("{origin}: {detail}")]
    Value {
        /// The file or the variable.
        origin: String,
        /// What is wrong with it.
        detail: String,
    },
    /// Settings that exclude one another.
    #[error("{0}")]
    Contradiction(String),
}

impl ConfigError {
    pub(super) fn unreadable(path: &Path, error: &io::Error) -> ConfigError {
        ConfigError::Unreadable { path: path.display().to_string(), reason: error.to_string() }
    }
}

/// Every variable that begins so is a setting.
const PREFIX: &str = "TAMGA_";
/// Tables of the file; the rest of a variable's name is a key of its table.
const SECTIONS: &[&str] =
    &["http", "trust", "revocation", "authority", "journal", "numbers", "log", "timestamps", "tsa"];
/// Variables with the prefix that are not settings of the service.
const NOT_SETTINGS: &[&str] = &["TAMGA_CONFIG", "TAMGA_CORPUS", "TAMGA_PYHANKO", "TAMGA_PYHANKO_REQUIRED"];

impl Config {
    /// Reads the file, if one is named, and lays the variables over it.
    ///
    /// `TAMGA_HTTP_LISTEN` is `http.listen`. The variables that Kubernetes sets in every pod beside a service named
    /// `tamga` (`TAMGA_SERVICE_HOST`, `TAMGA_PORT…`) are no settings.
    pub fn load(
        file: Option<&Path>,
        variables: impl IntoIterator<Item = (OsString, OsString)>,
    ) -> Result<Config, ConfigError> {
        let (mut table, origin) = match file {
            Some(path) => {
                let text = std::fs::read_to_string(path).map_err(|error| ConfigError::unreadable(path, &error))?;
                let origin = path.display().to_string();
                (text.parse::<Table>().map_err(|error| value_error(&origin, &error))?, origin)
            }
            None => (Table::new(), "defaults".into()),
        };
        let mut config = deserialize(&table).map_err(|error| value_error(&origin, &error))?;
        let mut settings: Vec<(String, OsString)> = variables
            .into_iter()
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value)))
            .filter(|(name, _)| is_setting(name))
            .collect();
        settings.sort();
        for (name, value) in settings {
            let value = value
                .into_string()
                .map_err(|_| ConfigError::Value { origin: name.clone(), detail: "not UTF-8".into() })?;
            config = overlay(&mut table, &name, &value)?;
        }
        Ok(config)
    }
}

fn deserialize(table: &Table) -> Result<Config, toml::de::Error> {
    Value::Table(table.clone()).try_into()
}

fn value_error(origin: &str, error: &toml::de::Error) -> ConfigError {
    ConfigError::Value { origin: origin.to_owned(), detail: error.to_string().trim_end().to_owned() }
}

fn is_setting(name: &str) -> bool {
    let Some(rest) = name.strip_prefix(PREFIX) else { return false };
    let service_link = rest == "PORT" || rest.starts_with("PORT_") || rest.starts_with("SERVICE_");
    !service_link && !NOT_SETTINGS.contains(&name)
}

/// Puts one variable into the table. The type of the setting decides how its text is read: as it stands, else as a
/// TOML value (numbers), else as a list parted by commas.
fn overlay(table: &mut Table, name: &str, text: &str) -> Result<Config, ConfigError> {
    let path = name.strip_prefix(PREFIX).unwrap_or(name).to_ascii_lowercase();
    let (section, key) = SECTIONS
        .iter()
        .find_map(|section| Some((Some(*section), path.strip_prefix(section)?.strip_prefix('_')?)))
        .unwrap_or((None, path.as_str()));
    let as_toml = format!("value = {text}").parse::<Table>().ok().and_then(|mut parsed| parsed.remove("value"));
    let as_list = Value::Array(text.split(',').map(|item| Value::String(item.trim().to_owned())).collect());
    let mut first_error = None;
    for candidate in [Some(Value::String(text.to_owned())), as_toml, Some(as_list)].into_iter().flatten() {
        let mut trial = table.clone();
        let target = match section {
            Some(section) => trial.entry(section).or_insert_with(|| Value::Table(Table::new())).as_table_mut(),
            None => Some(&mut trial),
        };
        let Some(target) = target else { continue };
        target.insert(key.to_owned(), candidate);
        match deserialize(&trial) {
            Ok(config) => {
                *table = trial;
                return Ok(config);
            }
            Err(error) => first_error = first_error.or(Some(error)),
        }
    }
    Err(ConfigError::Value {
        origin: name.to_owned(),
        detail: match first_error {
            // The text of a secret must not come back in an error, and the error of a string quotes it.
            Some(error) if error.message().starts_with("unknown field") => error.message().to_owned(),
            _ => format!(
                "the value does not fit the setting {}",
                section.map_or_else(|| key.to_owned(), |section| format!("{section}.{key}"))
            ),
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Bytes, Environment, Seconds};
    use secrecy::ExposeSecret as _;

    fn from_variables(variables: &[(&str, &str)]) -> Result<Config, ConfigError> {
        Config::load(None, variables.iter().map(|(name, value)| (OsString::from(name), OsString::from(value))))
    }

    fn from_text(text: &str) -> Result<Config, ConfigError> {
        let file = tempfile::NamedTempFile::new().expect("temporary file");
        std::fs::write(file.path(), text).expect("written");
        Config::load(Some(file.path()), [])
    }

    #[test]
    fn a_variable_is_read_by_the_type_of_its_setting() {
        let config = from_variables(&[
            ("TAMGA_ENVIRONMENT", "production"),
            ("TAMGA_HTTP_LISTEN", "0.0.0.0:9000"),
            ("TAMGA_HTTP_MAX_CONCURRENT_REQUESTS", "7"),
            ("TAMGA_HTTP_MAX_DOCUMENT", "1MiB"),
            ("TAMGA_HTTP_REQUEST_TIMEOUT", "5s"),
            ("TAMGA_TRUST_ANCHORS", "a.pem, b"),
            ("TAMGA_AUTHORITY_PASSWORD", "12345"),
        ])
        .expect("valid");
        assert_eq!(config.environment, Environment::Production);
        assert_eq!(config.http.listen.port(), 9000);
        assert_eq!(config.http.max_concurrent_requests, 7);
        assert_eq!(config.http.max_document, Bytes(1 << 20));
        assert_eq!(config.http.request_timeout, Seconds(5));
        assert_eq!(config.trust.anchors, [Path::new("a.pem"), Path::new("b")]);
        assert_eq!(config.authority.password.map(|password| password.expose_secret().to_owned()), Some("12345".into()));
    }

    #[test]
    fn unknown_names_are_refused_and_foreign_ones_left_alone() {
        for name in ["TAMGA_ENVIROMENT", "TAMGA_HTTP_LISTENER", "TAMGA_HTTP", "TAMGA_TRUST_ANCHOR"] {
            assert!(from_variables(&[(name, "x")]).is_err(), "{name}");
        }
        for name in ["TAMGA_SERVICE_HOST", "TAMGA_PORT", "TAMGA_PORT_80_TCP_ADDR", "TAMGA_CORPUS", "OTHER"] {
            assert!(from_variables(&[(name, "x")]).is_ok(), "{name}");
        }
        assert!(from_text("enviroment = \"production\"").is_err());
        assert!(from_text("[http]\nport = 80").is_err());
        assert!(
            from_text("[[http.clients]]\nname = \"a\"\ncertificate_sha256 = \"\"\nrole = \"portal\"\nrights = 1")
                .is_err()
        );
        assert!(from_text("data = \"a\"\ndata = \"b\"").is_err(), "a key twice");
    }

    #[test]
    fn the_environment_overrides_the_file() {
        let file = tempfile::NamedTempFile::new().expect("temporary file");
        std::fs::write(file.path(), "[http]\nlisten = \"127.0.0.1:1\"\nmax_concurrent_requests = 3").expect("written");
        let config =
            Config::load(Some(file.path()), [("TAMGA_HTTP_LISTEN".into(), "127.0.0.1:2".into())]).expect("valid");
        assert_eq!((config.http.listen.port(), config.http.max_concurrent_requests), (2, 3));
    }

    #[test]
    fn a_secret_never_comes_back() {
        let config = from_variables(&[("TAMGA_AUTHORITY_PASSWORD", "correct horse")]).expect("valid");
        let printed = config.masked().expect("printable");
        assert!(printed.contains("********"), "{printed}");
        assert!(!printed.contains("horse") && !format!("{config:?}").contains("horse"));
        let error = from_variables(&[("TAMGA_AUTHORITY_PASSWORDS", "correct horse")]).expect_err("unknown");
        assert!(!error.to_string().contains("horse"), "{error}");
    }

    #[test]
    fn what_is_printed_reads_back() {
        let printed = Config::default().masked().expect("printable");
        assert_eq!(from_text(&printed).expect("valid").masked().expect("printable"), printed);
    }

    #[test]
    fn production_refuses_demonstration_material() {
        let mut config = from_text("environment = \"production\"").expect("valid");
        assert!(config.check().is_err());
        config.authority.key = Some("authority.p12".into());
        assert!(config.check().is_err(), "the issuer is still missing");
        let city = crate::licensing::Bilingual::new("Астана", "Астана");
        config.issuer = Some(crate::service::Authority { body: city.clone(), head: "А. Б.".into(), city });
        assert!(config.check().is_err(), "anchors are still missing");
        config.trust.anchors.push("anchors".into());
        assert!(config.check().is_ok());
    }

    /// The example of the operator's guide is read as it stands, every line of it.
    #[test]
    fn the_documented_example_is_valid() {
        let guide = include_str!("../../docs/operating.md");
        let examples = || guide.split("```toml\n").skip(1).filter_map(|rest| rest.split("```").next());
        let mut config = from_text(examples().next().expect("an example")).expect("valid");
        // The file of services is the guide's as well.
        let file = tempfile::NamedTempFile::new().expect("temporary file");
        let services = examples().find(|example| example.starts_with("[[services]]")).expect("a catalogue");
        std::fs::write(file.path(), services).expect("written");
        assert!(config.catalogue.replace(file.path().into()).is_some());
        config.check().expect("consistent");
        assert_eq!(config.http.clients.len(), 1);
        assert_eq!(config.environment, Environment::Production);
    }

    #[test]
    fn contradictions_are_refused() {
        for text in [
            "[http]\ntls_key = \"key.pem\"",
            "[http]\ntls_client_ca = \"ca.pem\"",
            "[http]\nmax_document = \"65MiB\"",
            "[http]\nmax_document = \"0B\"",
            "[http]\nmax_concurrent_requests = 0",
            "[http]\nrequest_timeout = \"0s\"",
            "[authority]\npassword = \"a\"\npassword_file = \"b\"",
            "[[http.clients]]\nname = \"a\"\ncertificate_sha256 = \"00\"\nrole = \"portal\"",
        ] {
            assert!(from_text(text).expect(text).check().is_err(), "{text}");
        }
        assert!(Config::default().check().is_ok());
    }
}
