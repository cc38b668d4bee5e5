-- Composite, place and whole-text search.

-- The values of composite parameters: rows with the same resource, ordinal and composite come from the same element.
create table index_component (
    resource_key bigint not null,
    parameter bigint not null,
    ordinal bigint not null,
    place bigint not null,
    code text collate "C",
    system text collate "C",
    folded text collate "C",
    exact text collate "C",
    target_id text collate "C",
    target_type text collate "C",
    value text collate "C",
    low double precision,
    high double precision,
    earliest bigint,
    latest bigint,
    primary key (resource_key, parameter, ordinal, place)
) /* clustered */;
create index index_component_code on index_component (parameter, code, resource_key);

-- A place on earth as a point of the unit sphere, so that a distance is plain arithmetic.
create table index_place (
    parameter bigint not null,
    x double precision not null,
    y double precision not null,
    z double precision not null,
    resource_key bigint not null,
    primary key (parameter, x, y, z, resource_key)
) /* clustered */;
create index index_place_resource on index_place (resource_key, parameter);

-- The words of a whole resource, one row for each of its narrative and its content.
create table index_text (
    resource_key bigint not null,
    parameter bigint not null,
    words text collate "C" not null,
    primary key (resource_key, parameter)
) /* clustered */;
