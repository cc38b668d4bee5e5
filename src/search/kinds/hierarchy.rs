//! References into a hierarchy of places or organisations: what refers to one of them, or to any that it is part of or that is part of
//! it, at whatever depth (<https://hl7.org/fhir/R4/search.html#recursive>). Read by `search::query::reading`.

use super::reference::Target;
use crate::search::sql::builder::Sql;

/// The search parameter by which a resource names what it is part of.
pub const PART_OF: &str = "partof";

/// A reference to a resource or to a relative of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hierarchy {
    /// The type whose resources are part of one another.
    resource_type: String,
    /// The logical id of the resource that is named.
    id: String,
    /// True where what it is part of is meant too, else what is part of it.
    above: bool,
}

impl Hierarchy {
    /// The hierarchy around the resource that a reference names; `has_parts` knows the types whose resources name what they are part
    /// of. Errors say what is wrong with the value.
    pub fn new(target: Target, above: bool, has_parts: impl Fn(&str) -> bool) -> Result<Self, String> {
        let Target::Local { resource_type, id } = target else {
            return Err("`:above` and `:below` take a resource of this server, as `Type/id`".to_owned());
        };
        let resource_type = resource_type.ok_or("this parameter refers to several types: write `Type/id`")?;
        if !has_parts(&resource_type) {
            return Err(format!(
                "`:above` and `:below` follow the hierarchies of Location and Organization, not of {resource_type}"
            ));
        }
        Ok(Self { resource_type, id, above })
    }

    /// See [`super::Criterion::condition`].
    pub(super) fn condition(&self, alias: &str, sql: &mut Sql) {
        sql.push(&format!("{alias}.target_type = ")).text(&self.resource_type);
        sql.push(&format!(" and {alias}.target_id in (with recursive related(id) as ("));
        self.start(sql);
        sql.push(" union ");
        let step = if self.above { Self::parents } else { Self::children };
        step(self, sql);
        sql.push(") select h.id from related h)");
    }

    /// The resource itself, where anything refers to it or it is there.
    fn start(&self, sql: &mut Sql) {
        sql.push("select * from (select s.target_id as id from index_reference s where s.target_id = ").text(&self.id);
        sql.push(" and s.target_type = ").text(&self.resource_type).limit(1);
        sql.push(") named union select t.id from resource t where t.type = ").text(&self.resource_type);
        sql.push(" and t.id = ").text(&self.id);
    }

    fn parents(&self, sql: &mut Sql) {
        sql.push("select p.target_id from related c join resource t on t.id = c.id and t.type = ");
        sql.text(&self.resource_type);
        sql.push(" join index_reference p on p.resource_key = t.key and p.parameter = ");
        sql.parameter(&self.resource_type, PART_OF).push(" where not t.deleted");
    }

    fn children(&self, sql: &mut Sql) {
        sql.push("select t.id from related c join index_reference p on p.target_id = c.id and p.target_type = ");
        sql.text(&self.resource_type).push(" and p.parameter = ").parameter(&self.resource_type, PART_OF);
        sql.push(" join resource t on t.key = p.resource_key where not t.deleted");
    }
}
