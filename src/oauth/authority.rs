//! What an admitted token lets its caller do: scopes, role, and what the organisation sees of the resources. Made when a token is
//! admitted, whoever made the token.

use std::sync::Arc;

use crate::access::scope::Scopes;
use crate::access::visibility::minimum::Minimum;
use crate::access::visibility::{Names, breaks_glass};
use crate::access::{Authority, Caller, Granted, Limits, Role, Visibility};
use crate::interactions::affiliation;
use crate::interactions::server::Server;
use crate::problem::{Kind, Problem};

/// The purpose of use (<http://terminology.hl7.org/CodeSystem/v3-ActReason>) of whoever must see what objections and labels keep back.
pub(super) const BREAK_GLASS: &str = "BTG";

/// The authority of a client in a role for an organisation (`system|value`, or empty), and the same where it breaks the glass, if
/// its role may. What constrains the scopes that it may have, `most`, holds whichever of them it has: who asked for fewer could
/// otherwise refer to what they keep from it.
pub(super) async fn of(
    server: &Server,
    (scopes, most): (Scopes, &Scopes),
    role: Role,
    organisation: &str,
) -> Result<(Authority, Option<Authority>), Problem> {
    let with = |visibility| Authority::Token(Arc::new(Granted::new(scopes.clone(), role, visibility)));
    let minimum = Minimum::of_role(role, &server.settings.provider_patient);
    let parameters = server.latest_parameters();
    let means = server.means(&parameters, &minimum);
    let mut constraints = scopes.constraints(&means);
    let more = most.constraints(&means).into_iter().filter(|constraint| !constraints.contains(constraint));
    constraints.extend(more.collect::<Vec<_>>());
    if matches!(role, Role::Operator | Role::Harness) {
        let names = Names { token: organisation.to_owned(), references: Vec::new() };
        let seen = match constraints.as_slice() {
            [] => with(Visibility::Everything),
            some => with(Visibility::Limited(Arc::new(Limits::of_scopes(role, names, some)))),
        };
        return Ok((seen.clone(), Some(seen)));
    }
    let names = affiliation::names(server, organisation).await?;
    let limits = |emergency| {
        let limits = Limits::new(role, names.clone(), &minimum, emergency).within(&constraints);
        with(Visibility::Limited(Arc::new(limits)))
    };
    Ok((limits(false), breaks_glass(role).then(|| limits(true))))
}

/// The authority of a caller that breaks the glass. 403 where its role may not, 400 where it gives no reason.
pub(super) fn broken_glass(caller: &Caller, emergency: Option<Authority>) -> Result<Authority, Problem> {
    let refused = |kind, text: &str, place: &str| Err(Problem::new(kind, text).at(place));
    match (emergency, &caller.reason) {
        (None, _) => {
            refused(Kind::Forbidden, "The role of this client does not break the glass.", "http.x-purpose-of-use")
        }
        (_, None) => refused(
            Kind::Invalid,
            "Whoever breaks the glass says why: give X-Break-Glass-Reason.",
            "http.x-break-glass-reason",
        ),
        (Some(authority), Some(_)) => Ok(authority),
    }
}
