//! The statements that answer one page of a search, and the choice between the ways to get there:
//!
//! - *chosen*: a condition leaves few resources; start from its index, probe the rest, sort what remains.
//! - *walked*: no condition does; walk an index that lies in the order of the answer and probe what it leads to: that of the
//!   sort parameter (then come resources without a sort value), that of an exact token, or the resources of the type by id.
//! - *referred*: what refers to one target, in the order of the leading date of its type; probe the rest.
//!
//! Every way pages by (sort values, key), so a page neither shifts while others write nor costs more the deeper it lies. The way
//! back walks the same indexes in reverse.

use super::builder::Sql;
use super::condition::{At, all_of, best, probe, row, set};
use super::order::{Position, Way, key_operator};
use super::statement::{SortColumn, Statement};
use crate::search::kinds::reference::Target;
use crate::search::kinds::{Criterion, Table};
use crate::search::leading;
use crate::search::query::{Condition, Query, Rows, Sort, SortBy, Weight};

/// One page to fetch.
#[derive(Debug, Clone, Copy)]
pub struct Page<'a> {
    /// The search.
    pub query: &'a Query,
    /// What [`estimate`] counted is at most [`FEW`]. Only asked for the first page; the position remembers it.
    pub few: bool,
    /// Where the page before ended, or the page after begins.
    pub after: Option<&'a Position>,
    /// The most rows.
    pub limit: u32,
}

/// A part of a page. The parts are run in order until there are enough rows; a row's position names the stage it came from.
#[derive(Debug, Clone, PartialEq)]
pub struct Stage {
    /// The number for [`Position::stage`].
    pub number: usize,
    /// What to run.
    pub statement: Statement,
}

/// Up to so many resources are sorted without an index.
pub const FEW: i64 = 1000;

const WALKED: usize = 0;
const WITHOUT_SORT_VALUE: usize = 1;
const CHOSEN: usize = 2;
const REFERRED: usize = 3;
const REFERRED_WITHOUT_DATE: usize = 4;

/// The order of a search that asks for none.
static BY_ID: [Sort; 1] = [Sort { by: SortBy::Id, descending: false }];

/// The statements of a page.
#[must_use]
pub fn stages(page: &Page<'_>) -> Vec<Stage> {
    let search = Search::new(page);
    let stage = |number, statement| Stage { number, statement };
    let begun = page.after.map(|position| position.stage);
    if matches!(begun, None | Some(REFERRED | REFERRED_WITHOUT_DATE))
        && let Some((position, rows)) = search.reference_in_order()
    {
        let in_rest = begun == Some(REFERRED_WITHOUT_DATE);
        let dated = || stage(REFERRED, search.referred(position, rows));
        let rest = || stage(REFERRED_WITHOUT_DATE, search.referred_without_date(position, rows, in_rest));
        return search.valued_and_rest(in_rest, dated, rest);
    }
    if search.leaves_few() || begun == Some(CHOSEN) || (begun.is_none() && page.few) {
        return vec![stage(CHOSEN, search.chosen())];
    }
    match search.sorts {
        [] => vec![stage(WALKED, search.without_order())],
        [Sort { by: SortBy::Rows { table, code }, .. }] if *table != Table::Reference => {
            let sort = SortRows { table: *table, code };
            let in_rest = begun == Some(WITHOUT_SORT_VALUE);
            let walked = || stage(WALKED, search.sorted(&sort));
            let rest = || stage(WITHOUT_SORT_VALUE, search.without_sort_value(&sort, in_rest));
            search.valued_and_rest(in_rest, walked, rest)
        }
        [Sort { by: SortBy::Id | SortBy::LastUpdated, .. }] => vec![stage(WALKED, search.by_column())],
        _ => vec![stage(CHOSEN, search.chosen())],
    }
}

/// True if some condition is sure to leave few resources, which [`stages`] then sorts.
pub(super) fn leaves_few(page: &Page<'_>) -> bool {
    Search::new(page).leaves_few()
}

/// A count, cut off just above [`FEW`], of what the best condition leaves; none where the way to go is clear without. Run it
/// for the first page only.
#[must_use]
pub fn estimate(query: &Query) -> Option<Statement> {
    let page = Page { query, few: false, after: None, limit: 1 };
    let search = Search::new(&page);
    let clear = search.leaves_few() || (query.sort.is_empty() && search.exact_token().is_some());
    let condition = query.conditions.get(search.best?).filter(|_| !clear)?;
    let mut sql = Sql::default();
    sql.push("select count(*) from (select * from (");
    set(condition, &query.resource_type, &mut sql);
    sql.push(") s").limit(FEW + 1).push(") q");
    let (sql, binds) = sql.finish();
    Some(Statement { sql, binds, sort: Vec::new() })
}

struct Search<'a> {
    page: &'a Page<'a>,
    conditions: &'a [Condition],
    best: Option<usize>,
    sorts: &'a [Sort],
    backwards: bool,
}

struct SortRows<'a> {
    table: Table,
    code: &'a str,
}

impl<'a> Search<'a> {
    fn new(page: &'a Page<'a>) -> Self {
        let conditions = page.query.conditions.as_slice();
        let backwards = page.after.is_some_and(|position| position.backwards);
        Self { page, conditions, best: best(conditions), sorts: &page.query.sort, backwards }
    }

    fn way(&self) -> Way<'a> {
        Way::new(self.sorts, self.page.after)
    }

    /// Resources with a sort value, and then the rest, as far as they lie on the way from a position that is in the rest or not.
    fn valued_and_rest(&self, in_rest: bool, valued: impl Fn() -> Stage, rest: impl Fn() -> Stage) -> Vec<Stage> {
        match (self.backwards, in_rest) {
            (false, false) => vec![valued(), rest()],
            (false, true) => vec![rest()],
            (true, false) => vec![valued()],
            (true, true) => vec![rest(), valued()],
        }
    }

    /// True if some condition is sure to leave few resources.
    fn leaves_few(&self) -> bool {
        let best = self.best.and_then(|best| self.conditions.get(best));
        best.is_some_and(|condition| condition.weight() <= Weight::Few)
    }

    fn chosen(&self) -> Statement {
        let sorts = self.sorts;
        let mut sql = Sql::default();
        sql.push("select q.* from (select r.key as key");
        for (index, sort) in sorts.iter().enumerate() {
            sql.push(", ");
            sort.value(&self.page.query.resource_type, "r", &mut sql);
            sql.push(&format!(" as sort_{index}"));
        }
        match self.best.and_then(|best| self.conditions.get(best)) {
            Some(Condition::Rows(rows)) if sorts.iter().all(|sort| matches!(sort.by, SortBy::Rows { .. })) => {
                self.write_rows(rows, &mut sql);
            }
            _ => {
                sql.push(" from resource r where ");
                all_of(self.conditions, self.best, &self.page.query.resource_type, "r", &mut sql);
            }
        }
        sql.push(") q");
        if let Some(position) = self.page.after {
            sql.push(" where ");
            self.way().beyond(position, "q", &mut sql);
        }
        sql.push(" order by ");
        self.way().order("q", &mut sql);
        self.finish(sql, sorts.iter().map(Sort::column).collect())
    }

    /// Starts from index rows and leaves the table of resources out, which saves a third: only living resources have rows.
    fn write_rows(&self, rows: &Rows, sql: &mut Sql) {
        sql.push(&format!(" from (select distinct d.resource_key as key from {} d where ", rows.table.name()));
        row(rows, "d", sql);
        sql.push(") r where 1 = 1");
        self.probes(At { key: "r.key", resource: None }, self.best, sql);
    }

    /// By a column of the resource: its index is in that order.
    fn by_column(&self) -> Statement {
        let sorts = self.sorts;
        let column = if matches!(sorts.first().map(|sort| &sort.by), Some(SortBy::Id)) { "id" } else { "last_updated" };
        let (direction, operator) = (self.way().key_direction(), self.way().key_operator());
        let mut sql = Sql::default();
        sql.push(&format!("select r.key as key, r.{column} as sort_0"));
        self.write_resource(&mut sql);
        if let Some(position) = self.page.after
            && let Some(Some(value)) = position.values.first()
        {
            if column == "id" {
                // An id is unique within its type; the page before may have ended at the same id of another type.
                sql.push(&format!(" and r.id {operator}= ")).bind(value.clone());
                sql.push(&format!(" and (r.id {operator} ")).bind(value.clone());
                sql.push(&format!(" or r.key {operator} ")).integer(position.key).push(")");
            } else {
                sql.push(&format!(" and (r.{column}, r.key) {operator} (")).bind(value.clone());
                sql.push(", ").integer(position.key).push(")");
            }
        }
        self.probes(At { key: "r.key", resource: Some("r") }, None, &mut sql);
        sql.push(&format!(" order by r.{column} {direction}, r.key {direction}"));
        self.finish(sql, sorts.iter().map(Sort::column).collect())
    }

    fn without_order(&self) -> Statement {
        match self.exact_token() {
            Some((position, rows)) => self.by_token(position, rows),
            None => Search { sorts: &BY_ID, ..*self }.by_column(),
        }
    }

    /// A condition whose rows lie in the order of keys: every value has system and code.
    fn exact_token(&self) -> Option<(usize, &'a Rows)> {
        let exact = |criterion: &Criterion| match criterion {
            Criterion::Token(token) => token.system.is_some() && token.code.is_some(),
            _ => false,
        };
        self.conditions.iter().enumerate().find_map(|(position, condition)| match condition {
            Condition::Rows(rows) if !rows.any.is_empty() && rows.any.len() <= 16 && rows.any.iter().all(exact) => {
                Some((position, rows))
            }
            _ => None,
        })
    }

    /// One ordered walk for each value, merged.
    fn by_token(&self, position: usize, rows: &Rows) -> Statement {
        let direction = self.way().key_direction();
        let mut sql = Sql::default();
        sql.push("select q.key as key from (");
        for (index, criterion) in rows.any.iter().enumerate() {
            let one = Rows { any: vec![criterion.clone()], ..rows.clone() };
            let alias = format!("d{index}");
            sql.push(if index == 0 { "" } else { " union " });
            sql.push(&format!("select * from (select {alias}.resource_key as key from index_token {alias} where "));
            row(&one, &alias, &mut sql);
            let key = format!("{alias}.resource_key");
            self.after_key(&key, &mut sql);
            self.probes(At { key: &key, resource: None }, Some(position), &mut sql);
            sql.push(&format!(" order by {key} {direction}")).limit(i64::from(self.page.limit));
            sql.push(&format!(") a{index}"));
        }
        sql.push(&format!(") q order by q.key {direction}"));
        self.finish(sql, Vec::new())
    }

    /// A condition that names one target, where the search is sorted by the leading date of its type and nothing leaves
    /// fewer resources for sure.
    fn reference_in_order(&self) -> Option<(usize, &'a Rows)> {
        let leading = leading::code(&self.page.query.resource_type)?;
        let by_leading =
            |sort: &Sort| matches!(&sort.by, SortBy::Rows { table: Table::Date, code } if **code == *leading);
        let unique = self.best.and_then(|best| self.conditions.get(best)).is_some_and(|c| c.weight() < Weight::Few);
        if unique || self.sorts.len() != 1 || !self.sorts.iter().all(by_leading) {
            return None;
        }
        self.conditions.iter().enumerate().find_map(|(position, condition)| match condition {
            Condition::Rows(rows) => match rows.any.as_slice() {
                [Criterion::Reference(Target::Local { resource_type: Some(_), .. })] => Some((position, rows)),
                _ => None,
            },
            _ => None,
        })
    }

    fn referred(&self, position: usize, rows: &Rows) -> Statement {
        let (direction, operator) = (self.way().key_direction(), self.way().key_operator());
        let mut sql = Sql::default();
        sql.push("select d.resource_key as key, d.leading_date as sort_0 from index_reference d where ");
        row(rows, "d", &mut sql);
        // The other bound is the better one where there is one: a database may begin at either.
        let begun = self.page.after.and_then(|position| Some((position.values.first()?.as_ref()?, position.key)));
        if operator == '<' || begun.is_none() {
            sql.push(" and d.leading_date > ").integer(leading::MISSING);
        }
        if let Some((value, key)) = begun {
            sql.push(&format!(" and (d.leading_date, d.resource_key) {operator} (")).bind(value.clone());
            sql.push(", ").integer(key).push(")");
        }
        self.probes(At { key: "d.resource_key", resource: None }, Some(position), &mut sql);
        sql.push(&format!(" order by d.leading_date {direction}, d.resource_key {direction}"));
        self.finish(sql, vec![SortColumn::Integer])
    }

    fn referred_without_date(&self, position: usize, rows: &Rows, begun: bool) -> Statement {
        let mut sql = Sql::default();
        sql.push("select d.resource_key as key, cast(null as bigint) as sort_0 from index_reference d where ");
        row(rows, "d", &mut sql);
        sql.push(" and d.leading_date = ").integer(leading::MISSING);
        if begun {
            self.after_key("d.resource_key", &mut sql);
        }
        self.probes(At { key: "d.resource_key", resource: None }, Some(position), &mut sql);
        sql.push(&format!(" order by d.resource_key {}", self.way().key_direction()));
        self.finish(sql, vec![SortColumn::Integer])
    }

    fn sorted(&self, sort: &SortRows<'_>) -> Statement {
        let sorts = self.sorts;
        let (direction, operator) = (self.way().key_direction(), self.way().key_operator());
        let (column, ..) = sort.table.sort_columns();
        let mut sql = Sql::default();
        sql.push(&format!("select d.resource_key as key, d.{column} as sort_0 from {} d", sort.table.name()));
        sql.push(" where d.parameter = ").parameter(&self.page.query.resource_type, sort.code);
        if let Some(position) = self.page.after
            && let Some(Some(value)) = position.values.first()
        {
            sql.push(&format!(" and d.{column} {operator}= ")).bind(value.clone());
            sql.push(&format!(" and (d.{column} {operator} ")).bind(value.clone());
            sql.push(&format!(" or d.resource_key {operator} ")).integer(position.key).push(")");
        }
        best_row_only(sort, key_operator(sorts), &mut sql);
        self.probes(At { key: "d.resource_key", resource: None }, None, &mut sql);
        sql.push(&format!(" order by d.{column} {direction}, d.resource_key {direction}"));
        self.finish(sql, sorts.iter().map(Sort::column).collect())
    }

    fn without_sort_value(&self, sort: &SortRows<'_>, begun: bool) -> Statement {
        let sorts = self.sorts;
        let column = sorts.first().map_or(SortColumn::Text, Sort::column);
        let mut sql = Sql::default();
        sql.push(&format!("select r.key as key, cast(null as {}) as sort_0", column.sql_type()));
        self.write_resource(&mut sql);
        if begun {
            self.after_key("r.key", &mut sql);
        }
        sql.push(&format!(" and not exists (select 1 from {} m where m.resource_key = r.key", sort.table.name()));
        sql.push(" and m.parameter = ").parameter(&self.page.query.resource_type, sort.code).push(")");
        self.probes(At { key: "r.key", resource: Some("r") }, None, &mut sql);
        sql.push(&format!(" order by r.key {}", self.way().key_direction()));
        self.finish(sql, vec![column])
    }

    fn write_resource(&self, sql: &mut Sql) {
        sql.push(" from resource r where r.type = ").text(&self.page.query.resource_type).push(" and not r.deleted");
    }

    fn after_key(&self, key: &str, sql: &mut Sql) {
        if let Some(position) = self.page.after {
            sql.push(&format!(" and {key} {} ", self.way().key_operator())).integer(position.key);
        }
    }

    fn probes(&self, at: At<'_>, except: Option<usize>, sql: &mut Sql) {
        let others = self.conditions.iter().enumerate().filter(|(position, _)| Some(*position) != except);
        for (_, condition) in others {
            sql.push(" and ");
            probe(condition, at, sql);
        }
    }

    fn finish(&self, mut sql: Sql, sort: Vec<SortColumn>) -> Statement {
        sql.limit(i64::from(self.page.limit));
        let (sql, binds) = sql.finish();
        Statement { sql, binds, sort }
    }
}

/// A resource with several rows of the sort parameter stands where its best row is.
fn best_row_only(sort: &SortRows<'_>, later: char, sql: &mut Sql) {
    let (column, _, ties) = sort.table.sort_columns();
    let columns = |alias: &str| {
        let all = std::iter::once(&column).chain(ties).map(|column| format!("{alias}.{column}"));
        all.collect::<Vec<_>>().join(", ")
    };
    let better = if later == '<' { '>' } else { '<' };
    sql.push(&format!(" and not exists (select 1 from {} e where e.resource_key = d.resource_key", sort.table.name()));
    sql.push(&format!(" and e.parameter = d.parameter and ({}) {better} ({}))", columns("e"), columns("d")));
}
