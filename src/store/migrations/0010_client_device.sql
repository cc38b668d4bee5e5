-- The Device and the Endpoint that a client stands for, as `Type/id`; empty where it says none.

alter table client add column device text collate "C" not null default '';
alter table client add column endpoint text collate "C" not null default '';
