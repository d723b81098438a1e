//! How an event enum gets its stored names: one line per event type.

/// Declares an aggregate's event enum: for each variant its payload, stored type, schema version and the names
/// of its sealed top-level fields. The payload alone is stored; type and version stand in their columns.
macro_rules! event_types {
    ($(#[$doc:meta])+ $enum:ident { $($(#[$vdoc:meta])+ $variant:ident($payload:ident) = $name:literal v $version:literal sealed [$($sealed:literal),*];)+ }) => {
        $(#[$doc])+
        #[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
        pub enum $enum {
            $($(#[$vdoc])+ $variant($payload),)+
        }

        impl $enum {
            /// Every event type of this aggregate, at its current schema version.
            pub const TYPES: &'static [crate::event::EventType] = &[
                $(crate::event::EventType { name: $name, schema_version: $version, sealed: &[$($sealed),*] },)+
            ];

            /// The stored type of this event.
            pub fn event_type(&self) -> &'static crate::event::EventType {
                match self {
                    $(Self::$variant(_) => {
                        const TYPE: crate::event::EventType = crate::event::EventType {
                            name: $name, schema_version: $version, sealed: &[$($sealed),*],
                        };
                        &TYPE
                    })+
                }
            }

            /// The payload as a JSON document, sealed fields in their readable form.
            pub(crate) fn to_document(&self) -> Result<serde_json::Value, serde_json::Error> {
                match self {
                    $(Self::$variant(payload) => serde_json::to_value(payload),)+
                }
            }

            /// The event of that stored type at its current schema version; `None` for a type of another aggregate.
            pub(crate) fn from_document(name: &str, document: serde_json::Value) -> Option<Result<Self, serde_json::Error>> {
                match name {
                    $($name => Some(serde_json::from_value(document).map(Self::$variant)),)+
                    _ => None,
                }
            }
        }

        $(impl From<$payload> for $enum {
            fn from(payload: $payload) -> Self {
                Self::$variant(payload)
            }
        }

        impl From<$payload> for crate::event::Event {
            fn from(payload: $payload) -> Self {
                $enum::$variant(payload).into()
            }
        })+

        impl cqrs_es::DomainEvent for $enum {
            fn event_type(&self) -> String {
                $enum::event_type(self).name.to_owned()
            }

            fn event_version(&self) -> String {
                $enum::event_type(self).schema_version.to_string()
            }
        }
    };
}

pub(crate) use event_types;
