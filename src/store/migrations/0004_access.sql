create table client (
    id text collate "C" primary key,
    name text not null,
    organisation text collate "C" not null,
    role text collate "C" not null,
    scopes text collate "C" not null,
    keys text not null,
    keys_url text collate "C" not null,
    certificate text collate "C" not null,
    disabled boolean not null,
    created bigint not null,
    updated bigint not null
);

create table client_assertion (
    client text collate "C" not null,
    id text collate "C" not null,
    expires bigint not null,
    primary key (client, id)
) /* clustered */;
create index client_assertion_expires on client_assertion (expires);

create table revoked_token (
    id text collate "C" primary key,
    expires bigint not null
);

create table signing_key (
    id text collate "C" primary key,
    private_key text not null,
    created bigint not null,
    expires bigint not null
);
