-- Editions of code systems that an operator loaded; `loaded` is 0 while one is being written.
create table terminology_edition (
    id text collate "C" primary key,
    version text collate "C" not null,
    layout text not null,
    summary text not null,
    pieces bigint not null,
    bytes bigint not null,
    loaded bigint not null
);

create table terminology_piece (
    edition text collate "C" not null,
    position bigint not null,
    content bytea not null,
    primary key (edition, position)
);
