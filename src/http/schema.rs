//! How inner types that write themselves by hand look in the description.

use crate::{
    crypto::Digest,
    licensing::{Date, LicenceNumber, RequestNumber},
    report::{CheckId, Checks, Time},
};
use serde_json::{Value, json};
use utoipa::{
    PartialSchema, ToSchema,
    openapi::{ArrayBuilder, KnownFormat, ObjectBuilder, Ref, RefOr, Schema, SchemaFormat, schema::Type},
};

macro_rules! text {
    ($type:ty, $pattern:expr, $example:literal) => {
        impl PartialSchema for $type {
            fn schema() -> RefOr<Schema> {
                let text = ObjectBuilder::new().schema_type(Type::String).examples([json!($example)]);
                match $pattern {
                    Some(pattern) => text.pattern(Some::<&str>(pattern)).into(),
                    None => text.into(),
                }
            }
        }

        impl ToSchema for $type {}
    };
}

text!(
    Digest,
    Some("^[a-z0-9-]+:[0-9a-f]+$"),
    "sha-256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
);
text!(Date, Some("^[0-9]{4}-[0-9]{2}-[0-9]{2}$"), "2026-11-22");
text!(LicenceNumber, None, "KZ63LAA00000001");
text!(RequestNumber, None, "2026-00000001");

impl PartialSchema for Time {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new()
            .schema_type(Type::String)
            .format(Some(SchemaFormat::KnownFormat(KnownFormat::DateTime)))
            .examples([json!("2026-11-22T02:00:00Z")])
            .into()
    }
}

impl ToSchema for Time {}

/// Fifteen rows, always the same, in the same order.
impl PartialSchema for Checks {
    fn schema() -> RefOr<Schema> {
        let names: Vec<Value> = CheckId::ALL.iter().map(|id| json!(id.as_str())).collect();
        let outcomes = ["passed", "failed", "warned", "not_evaluated"].map(Value::from);
        let text = || ObjectBuilder::new().schema_type(Type::String);
        let message = Ref::from_schema_name("Message");
        let reason = ObjectBuilder::new()
            .description(Some("Only where the check failed or warned."))
            .property("code", text().description(Some("Stable, kebab-case, prefixed by block.")))
            .property("args", ObjectBuilder::new().description(Some("The values of this occurrence.")))
            .property("message", message)
            .required("code")
            .required("args")
            .required("message");
        let row = ObjectBuilder::new()
            .property("id", text().enum_values(Some(names)))
            .property("outcome", text().enum_values(Some(outcomes)))
            .property("reason", reason)
            .required("id")
            .required("outcome");
        ArrayBuilder::new().items(row).min_items(Some(CheckId::ALL.len())).max_items(Some(CheckId::ALL.len())).into()
    }
}

impl ToSchema for Checks {
    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        schemas.push(("Message".into(), crate::report::Message::schema()));
    }
}
