create table package (
    name text collate "C" not null,
    version text collate "C" not null,
    added bigint not null,
    definitions bigint not null,
    manifest text not null,
    content bytea not null,
    primary key (name, version)
);

insert into counter (name, next) values ('conformance', 1);
