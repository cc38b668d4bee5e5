-- By which set of search parameters the index rows of a resource were made.
alter table resource add column generation bigint not null default 0;

-- Which parameters of a type are in the index of all its resources; code '' stands for the whole set of the type.
create table indexed_parameter (
    type text collate "C" not null,
    code text collate "C" not null,
    generation bigint not null,
    primary key (type, code)
);
insert into counter (name, next) values ('definitions', 1);

alter table job add column address text collate "C" not null default '';
alter table job add column created bigint not null default 0;
alter table job add column failures bigint not null default 0;
alter table job add column finished bigint not null default 0;
alter table job add column outcome text collate "C" not null default '';
drop index job_due;
create index job_waiting on job (kind, due, id) where finished = 0;
create index job_address on job (address) where address <> '';
create index job_finished on job (finished) where finished > 0;
