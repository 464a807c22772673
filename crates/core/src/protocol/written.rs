//! A protocol as it stands in a plan: that of the reference back end by its name, since most plans
//! and histories are of it.

use std::fmt;
use std::sync::Arc;

use serde::de::value::MapAccessDeserializer;
use serde::de::{Error, MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::Protocol;

/// What stands for the reference protocol.
pub(crate) const REFERENCE: &str = "reference";

pub(crate) fn serialize<S: Serializer>(
    protocol: &Arc<Protocol>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    match protocol.is_reference() {
        true => serializer.serialize_str(REFERENCE),
        false => protocol.serialize(serializer),
    }
}

pub(crate) fn deserialize<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Arc<Protocol>, D::Error> {
    deserializer.deserialize_any(Written)
}

struct Written;

impl<'de> Visitor<'de> for Written {
    type Value = Arc<Protocol>;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "a protocol, or `{REFERENCE}`")
    }

    fn visit_str<E: Error>(self, name: &str) -> Result<Self::Value, E> {
        match name {
            REFERENCE => Ok(Protocol::reference()),
            other => Err(E::invalid_value(serde::de::Unexpected::Str(other), &self)),
        }
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
        Protocol::deserialize(MapAccessDeserializer::new(map)).map(Arc::new)
    }
}
