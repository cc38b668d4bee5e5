//! The primitive types of R4 by name.

macro_rules! primitive_kinds {
    ($($name:ident => $code:literal),* $(,)?) => {
        /// A primitive type (<https://hl7.org/fhir/R4/datatypes.html#primitive>).
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum PrimitiveKind {
            $(#[doc = concat!("`", $code, "`")] $name),*
        }

        impl PrimitiveKind {
            /// Every primitive type.
            pub const ALL: &'static [Self] = &[$(Self::$name),*];

            /// The name of the type in definitions.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$name => $code),* }
            }

            /// The type of that name.
            #[must_use]
            pub fn from_name(name: &str) -> Option<Self> {
                match name { $($code => Some(Self::$name),)* _ => None }
            }
        }
    };
}

primitive_kinds! {
    Boolean => "boolean", Integer => "integer", PositiveInt => "positiveInt", UnsignedInt => "unsignedInt",
    Decimal => "decimal", String => "string", Code => "code", Id => "id", Uri => "uri", Url => "url",
    Canonical => "canonical", Oid => "oid", Uuid => "uuid", Markdown => "markdown", Base64Binary => "base64Binary",
    Instant => "instant", Date => "date", DateTime => "dateTime", Time => "time", Xhtml => "xhtml",
}

impl PrimitiveKind {
    /// True for the types whose JSON form is a number.
    #[must_use]
    pub const fn is_number(self) -> bool {
        matches!(self, Self::Integer | Self::PositiveInt | Self::UnsignedInt | Self::Decimal)
    }
}
