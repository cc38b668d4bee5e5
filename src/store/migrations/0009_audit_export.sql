-- How far the running server has exported each chain of the audit trail.

alter table audit_chain add column exported bigint not null default 0;
