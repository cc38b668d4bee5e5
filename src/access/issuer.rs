//! External issuers of access tokens, as an organisation's identity provider or an API gateway is one: which tokens of whom are taken, and
//! what their claims mean here (<https://www.rfc-editor.org/rfc/rfc9068>). An operator lists them in a TOML file; `oauth` asks when a
//! request brings a token. No issuer can give more than its entry in the file allows.

use std::path::{Path, PathBuf};

use jsonwebtoken::{Validation, decode, decode_header};
use serde::Deserialize;
use serde_json::Value;

use super::assertion::{SKEW, seconds};
use super::keys::KeySet;
use super::scope::{HINT, Scope, Scopes};
use super::{ODS_SYSTEM, Role, provider};
use crate::clock::Micros;

/// How far ahead the end of a token may lie, seconds.
const LONGEST: i64 = 24 * 3600;
/// Longest claim that is taken over.
const LONGEST_CLAIM: usize = 256;

/// Where the public keys of an issuer are.
#[derive(Debug, Clone)]
pub enum Keys {
    /// At this address, as a JWK set.
    Url(String),
    /// These.
    Set(KeySet),
}

/// An issuer whose tokens are taken.
#[derive(Debug, Clone)]
pub struct Issuer {
    /// The claim `iss` of its tokens.
    pub issuer: String,
    /// Its public keys.
    pub keys: Keys,
    name: String,
    audience: String,
    scopes: Scopes,
    roles: Vec<Role>,
    organisations: Vec<String>,
    claims: ClaimNames,
}

/// What a token of an external issuer says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct External {
    /// The client, with the issuer's name and a colon before it, so that it is never taken for a registered one.
    pub client: String,
    /// Its organisation as `system|value`.
    pub organisation: String,
    /// What it may do, within what the issuer may give.
    pub scopes: Scopes,
    /// The role in which it acts.
    pub role: Role,
    /// The end user, where the token names one.
    pub user: Option<String>,
    /// When the token ends, seconds.
    pub expires: i64,
    /// The certificate that it is bound to.
    pub certificate: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    issuer: Vec<Entry>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    name: String,
    issuer: String,
    audience: String,
    keys: String,
    scopes: String,
    roles: Vec<String>,
    organisations: Vec<String>,
    #[serde(default)]
    claims: ClaimNames,
}

/// The names of the claims that are read.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct ClaimNames {
    client: String,
    scope: String,
    role: String,
    organisation: String,
    user: String,
}

impl Default for ClaimNames {
    fn default() -> Self {
        let name = str::to_owned;
        Self {
            client: name("client_id"),
            scope: name("scope"),
            role: name("role"),
            organisation: name("organisation"),
            user: name("user"),
        }
    }
}

/// Reads a file of issuers. All mistakes are said at once, a line each.
pub fn read(path: &Path) -> Result<Vec<Issuer>, String> {
    let text = std::fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))?;
    parse(&text, path.parent().unwrap_or(Path::new(""))).map_err(|reason| format!("{}: {reason}", path.display()))
}

/// Reads the text of such a file; key files are looked for in `folder`.
pub fn parse(text: &str, folder: &Path) -> Result<Vec<Issuer>, String> {
    let file: File = toml::from_str(text).map_err(|error| error.to_string())?;
    let (mut issuers, mut mistakes) = (Vec::<Issuer>::new(), Vec::new());
    for entry in file.issuer {
        let issuer = entry.issuer.clone();
        match entry.check(folder) {
            Ok(found) if issuers.iter().any(|other| other.issuer == issuer || other.name == found.name) => {
                mistakes.push(format!("{issuer}: its issuer or name is there twice"));
            }
            Ok(found) => issuers.push(found),
            Err(reason) => mistakes.push(format!("{issuer}: {reason}")),
        }
    }
    if mistakes.is_empty() { Ok(issuers) } else { Err(mistakes.join("\n")) }
}

impl Entry {
    fn check(self, folder: &Path) -> Result<Issuer, String> {
        let is_name = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
        if self.name.is_empty() || !self.name.bytes().all(is_name) {
            return Err("name must be letters, digits and hyphens".to_owned());
        }
        if self.issuer.is_empty() || self.audience.is_empty() {
            return Err("issuer and audience must be the texts of the claims iss and aud".to_owned());
        }
        let role = |code: &String| Role::parse(code).ok_or_else(|| format!("{code} is no role"));
        let roles: Vec<Role> = self.roles.iter().map(role).collect::<Result<_, _>>()?;
        if roles.is_empty() || self.organisations.is_empty() {
            return Err("roles and organisations must each name at least one".to_owned());
        }
        let scopes = Scopes::parse(&self.scopes).map_err(|word| format!("{word} is no scope of a system. {HINT}"))?;
        Ok(Issuer {
            keys: keys(&self.keys, folder)?,
            organisations: self.organisations.iter().map(|code| with_system(code)).collect(),
            issuer: self.issuer,
            name: self.name,
            audience: self.audience,
            claims: self.claims,
            scopes,
            roles,
        })
    }
}

/// An address of a JWK set, or a file that holds one.
fn keys(text: &str, folder: &Path) -> Result<Keys, String> {
    if text.contains("://") {
        return Ok(Keys::Url(text.to_owned()));
    }
    let path: PathBuf = folder.join(text);
    let text = std::fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))?;
    let set = serde_json::from_str(&text).map_err(|_| format!("{} is not JSON", path.display()))?;
    KeySet::parse(&set).map(Keys::Set).map_err(|reason| format!("{} {reason}", path.display()))
}

fn with_system(code: &str) -> String {
    if code.contains('|') { code.to_owned() } else { format!("{ODS_SYSTEM}|{code}") }
}

/// The issuer that a token claims to come from, before anything is verified.
#[must_use]
pub fn claimed<'a>(token: &str, issuers: &'a [Issuer]) -> Option<&'a Issuer> {
    if issuers.is_empty() {
        return None;
    }
    provider::install();
    let claims: Value = jsonwebtoken::dangerous::insecure_decode_claims(token).ok()?;
    issuers.iter().find(|known| claims["iss"] == *known.issuer)
}

/// The key id that a token's header names.
#[must_use]
pub fn key_id(token: &str) -> Option<String> {
    decode_header(token).ok()?.kid
}

impl Issuer {
    /// The scopes that it may give.
    #[must_use]
    pub const fn scopes(&self) -> &Scopes {
        &self.scopes
    }

    /// Verifies a token with the issuer's keys and reads what it gives. The error is for the client to read.
    pub fn verify(&self, token: &str, keys: &KeySet, now: Micros) -> Result<External, String> {
        provider::install();
        let header = decode_header(token).map_err(|_| "The access token is not a signed JWT.")?;
        if header.crit.is_some() {
            return Err("The access token's header has a crit that is not understood.".to_owned());
        }
        let mut validation = Validation::new(header.alg);
        (validation.validate_exp, validation.validate_aud) = (false, false);
        validation.required_spec_claims.clear();
        let claims: Value = keys
            .candidates(header.alg, header.kid.as_deref())
            .find_map(|key| decode(token, key, &validation).ok())
            .ok_or("No key of the issuer made the access token's signature.")?
            .claims;
        self.accept(&claims, now / 1_000_000)
    }

    /// What verified claims mean here at `now` (seconds).
    fn accept(&self, claims: &Value, now: i64) -> Result<External, String> {
        let is_ours = |audience: &Value| *audience == *self.audience;
        let meant = claims["aud"].as_array().map_or_else(|| is_ours(&claims["aud"]), |all| all.iter().any(is_ours));
        if claims["iss"] != *self.issuer || !meant {
            return Err("The access token is meant for another server (claims iss, aud).".to_owned());
        }
        let expires = self.times(claims, now)?;
        let names = &self.claims;
        let missing = |name: &str| format!("The access token lacks the claim {name}.");
        let client = text(claims, &names.client).ok_or_else(|| missing(&names.client))?;
        Ok(External {
            client: format!("{}:{client}", self.name),
            organisation: self.organisation(claims)?,
            scopes: self.scopes.granted(&scopes(&claims[names.scope.as_str()])),
            role: self.role(claims)?,
            user: text(claims, &names.user).map(str::to_owned),
            certificate: claims["cnf"]["x5t#S256"].as_str().map(str::to_owned),
            expires,
        })
    }

    fn times(&self, claims: &Value, now: i64) -> Result<i64, String> {
        let expires = seconds(&claims["exp"]).ok_or("The access token lacks the claim exp.")?;
        if expires <= now {
            return Err("The access token has expired. Ask for a new one.".to_owned());
        }
        if expires > now + LONGEST {
            return Err(format!("A token of {} may be good for a day at most.", self.name));
        }
        let ahead =
            |name: &str| claims.get(name).is_some_and(|claim| seconds(claim).is_none_or(|time| time > now + SKEW));
        if ahead("nbf") || ahead("iat") { Err("The access token is not good yet.".to_owned()) } else { Ok(expires) }
    }

    /// The organisation that the claim names, or the only one there is.
    fn organisation(&self, claims: &Value) -> Result<String, String> {
        let named = text(claims, &self.claims.organisation).map(with_system);
        match (named, self.organisations.as_slice()) {
            (Some(named), allowed) if allowed.contains(&named) => Ok(named),
            (None, [only]) => Ok(only.clone()),
            _ => Err(format!(
                "The claim {} names no organisation that this issuer speaks for.",
                self.claims.organisation
            )),
        }
    }

    /// The first role of the claim that the issuer may give, or the only one there is.
    fn role(&self, claims: &Value) -> Result<Role, String> {
        let claim = &claims[self.claims.role.as_str()];
        let listed = claim.as_array().map(Vec::as_slice).unwrap_or_default();
        let mut named = listed.iter().chain([claim]).filter_map(Value::as_str).filter_map(Role::parse);
        match (named.find(|role| self.roles.contains(role)), self.roles.as_slice()) {
            (Some(role), _) => Ok(role),
            (None, [only]) if claim.is_null() => Ok(*only),
            _ => Err(format!("The claim {} names no role that this issuer may give.", self.claims.role)),
        }
    }
}

fn text<'a>(claims: &'a Value, name: &str) -> Option<&'a str> {
    let good = |text: &&str| (1..=LONGEST_CLAIM).contains(&text.len()) && !text.chars().any(char::is_control);
    claims[name].as_str().filter(good)
}

/// The scopes of a claim that are scopes of systems: identity providers send others beside them.
fn scopes(claim: &Value) -> Scopes {
    let listed = claim.as_array().map(Vec::as_slice).unwrap_or_default();
    let words = listed.iter().chain([claim]).filter_map(Value::as_str).flat_map(str::split_ascii_whitespace);
    let known: Vec<&str> = words.filter(|word| Scope::parse(word).is_some()).collect();
    Scopes::parse(&known.join(" ")).unwrap_or_default()
}
