//! Versions, current pointers and the audit rows about them: one statement for each rule, whose rows are the disagreements.

use futures_util::TryStreamExt as _;
use serde_json::Value;

use super::{Report, identities, snapshot};
use crate::fhir::temporal::format_instant;
use crate::problem::Problem;
use crate::store::database::{Connection, on};
use crate::store::error;

/// A rule that one statement decides.
pub(in crate::store) struct Rule {
    /// As findings name it.
    pub(super) name: &'static str,
    /// What cannot be read where the statement fails.
    pub(super) table: &'static str,
    /// Yields type, id and version of each disagreement.
    pub(in crate::store) sql: &'static str,
    /// What is wrong with each of them.
    text: &'static str,
}

/// Every rule.
pub(in crate::store) const RULES: &[Rule] = &[
    Rule {
        name: "pointer",
        table: "resource",
        sql: "select r.type, r.id, r.version from resource r \
              left join resource_version v on v.resource_key = r.key and v.version = r.version \
              where v.sequence is null or v.type <> r.type or v.id <> r.id or v.deleted <> r.deleted \
              or v.last_updated <> r.last_updated order by r.type, r.id",
        text: "the current version is not there, or says otherwise than the pointer to it",
    },
    Rule {
        name: "version",
        table: "resource_version",
        sql: "select v.type, v.id, v.version from resource_version v left join resource r on r.key = v.resource_key \
              where r.key is null or v.version > r.version or v.type <> r.type or v.id <> r.id \
              order by v.type, v.id, v.version",
        text: "this version belongs to no resource, or is newer than the current one",
    },
    Rule {
        name: "version",
        table: "resource_version",
        sql: "select r.type, r.id, r.version from resource r join (select resource_key, count(*) as number, \
              min(version) as lowest from resource_version group by resource_key) n on n.resource_key = r.key \
              where n.number <> r.version - n.lowest + 1 order by r.type, r.id",
        text: "a version between the first and the current one is missing",
    },
    Rule {
        name: "time",
        table: "resource_version",
        sql: "select n.type, n.id, n.version from resource_version v join resource_version n \
              on n.resource_key = v.resource_key and n.version = v.version + 1 \
              where n.last_updated < v.last_updated order by n.type, n.id, n.version",
        text: "this version says that it is older than the one before it",
    },
    // A version is a little newer than the audit row of the request that made it, and retention removes old audit rows.
    Rule {
        name: "audit",
        table: "audit",
        sql: "select v.type, v.id, v.version from resource_version v left join (select distinct resource_type, resource_id, \
              version_after from audit where status < 300 and version_after is not null and interaction not in ('read', 'vread')) a \
              on a.resource_type = v.type and a.resource_id = v.id and a.version_after = v.version \
              where a.version_after is null and v.last_updated > (select coalesce(min(recorded) + 60000000, 0) from audit) order by v.type, v.id, v.version",
        text: "no audit row says who made this version",
    },
    Rule {
        name: "audit",
        table: "audit",
        sql: "select distinct a.resource_type, a.resource_id, a.version_after from audit a \
              left join resource r on r.type = a.resource_type and r.id = a.resource_id \
              left join resource_version v on v.resource_key = r.key and v.version = a.version_after \
              where a.status < 300 and a.version_after > 0 and a.resource_id <> '' and v.sequence is null \
              order by a.resource_type, a.resource_id, a.version_after",
        text: "an audit row speaks of this version, which is not there",
    },
];

pub(in crate::store) const NEXT_KEY: &str = "select next from counter where name = 'key'";
pub(in crate::store) const HIGHEST: &str = "select coalesce(max(found.highest), 0) from (select max(key) as highest from resource \
     union all select max(sequence) as highest from resource_version) found";
pub(in crate::store) const BODIES: &str =
    "select type, id, version, last_updated, deleted, body from resource_version order by sequence";

/// Carries out one rule.
pub(super) async fn apply(connection: &mut Connection, rule: &Rule, report: &mut Report) -> Result<(), Problem> {
    snapshot(connection).await?;
    for (resource_type, id, version) in identities(connection, rule.sql).await? {
        report.add(rule.name, format!("{resource_type}/{id}/_history/{version}"), rule.text);
    }
    Ok(())
}

/// New rows must get numbers that no row has.
pub(super) async fn counter(connection: &mut Connection, report: &mut Report) -> Result<(), Problem> {
    snapshot(connection).await?;
    let mut number = async |sql: &'static str| -> Result<i64, Problem> {
        on!(&mut *connection, |c| sqlx::query_scalar(sql).fetch_one(&mut *c).await).map_err(error::problem)
    };
    let (next, highest) = (number(NEXT_KEY).await?, number(HIGHEST).await?);
    if next <= highest {
        report.add(
            "counter",
            "counter",
            format!("the next number, {next}, is taken already: the highest is {highest}"),
        );
    }
    Ok(())
}

type Body = (String, String, i64, i64, bool, Vec<u8>);

/// Every stored text must be the resource, version and time that its row says.
pub(super) async fn bodies(
    connection: &mut Connection,
    report: &mut Report,
    progress: &mut dyn FnMut(&str, u64),
) -> Result<(), Problem> {
    on!(connection, |c| {
        let mut rows = sqlx::query_as::<_, Body>(BODIES).fetch(&mut *c);
        while let Some(row) = rows.try_next().await.map_err(error::problem)? {
            report.versions += 1;
            if report.versions.is_multiple_of(1000) {
                progress("versions", report.versions);
            }
            if let Some(text) = wrong(&row) {
                report.add("body", format!("{}/{}/_history/{}", row.0, row.1, row.2), text);
            }
        }
    });
    Ok(())
}

fn wrong((resource_type, id, version, last_updated, deleted, body): &Body) -> Option<&'static str> {
    if *deleted {
        return (!body.is_empty()).then_some("a deletion has a text");
    }
    let Ok(value) = serde_json::from_slice::<Value>(body) else {
        return Some("the stored text is not JSON");
    };
    if value["resourceType"] != resource_type.as_str() || value["id"] != id.as_str() {
        return Some("the stored text is another resource");
    }
    let meta = &value["meta"];
    let version = version.to_string();
    if meta["versionId"] != version.as_str() || meta["lastUpdated"] != format_instant(*last_updated) {
        return Some("the stored text is another version, or one of another time");
    }
    None
}
