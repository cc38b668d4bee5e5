//! The primitive types of FHIR R4. <https://hl7.org/fhir/R4/datatypes.html#primitive>

macro_rules! primitive_kinds {
    ($($name:ident => $code:literal),* $(,)?) => {
        /// A primitive type.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum PrimitiveKind {
            $(#[doc = concat!("`", $code, "`")] $name),*
        }

        impl PrimitiveKind {
            /// Every primitive type.
            pub const ALL: &[Self] = &[$(Self::$name),*];

            /// The FHIR name, for example `positiveInt`.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$name => $code),* }
            }

            /// The primitive type with this FHIR name.
            #[must_use]
            pub fn from_name(name: &str) -> Option<Self> {
                match name { $($code => Some(Self::$name),)* _ => None }
            }
        }
    };
}

primitive_kinds! {
    Boolean => "boolean", Integer => "integer", PositiveInt => "positiveInt", UnsignedInt => "unsignedInt",
    Decimal => "decimal", String => "string", Code => "code", Id => "id", Markdown => "markdown", Uri => "uri",
    Url => "url", Canonical => "canonical", Oid => "oid", Uuid => "uuid", Base64Binary => "base64Binary",
    Instant => "instant", Date => "date", DateTime => "dateTime", Time => "time", Xhtml => "xhtml",
}
