//! How many referrals there are, by status and service, of those asked for in a span of time: counts from index rows, nothing of
//! any person.

use super::database::{Database, on};
use super::resources::retrying;
use crate::clock::Micros;
use crate::problem::Problem;

/// The number of referrals with one status and one service.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct Activity {
    /// `ServiceRequest.status`.
    pub status: String,
    /// System of the code that says what is asked for; empty where there is none.
    pub system: String,
    /// That code; empty where there is none.
    pub code: String,
    /// How many.
    pub count: i64,
}

pub(super) const COUNT: &str = "select s.code as status, coalesce(c.system, '') as system, coalesce(c.code, '') as code, \
     count(distinct s.resource_key) as count from index_date d \
     join index_token s on s.resource_key = d.resource_key \
     and s.parameter = (select id from search_parameter where type = 'ServiceRequest' and code = 'status') \
     left join index_token c on c.resource_key = d.resource_key \
     and c.parameter = (select id from search_parameter where type = 'ServiceRequest' and code = 'code') \
     where d.parameter = (select id from search_parameter where type = 'ServiceRequest' and code = 'authored') \
     and d.low >= $1 and d.low < $2 \
     group by s.code, coalesce(c.system, ''), coalesce(c.code, '') \
     order by s.code, coalesce(c.system, ''), coalesce(c.code, '')";

/// The counts of referrals authored from an instant (inclusive) to another (exclusive).
pub(super) async fn count(database: &Database, from: Micros, to: Micros) -> Result<Vec<Activity>, Problem> {
    retrying!(on!(database, |pool| sqlx::query_as(COUNT).bind(from).bind(to).fetch_all(pool).await))
}
