-- References carry the date by which resources of their type are usually sorted (search::leading), so that what refers to one
-- target lies in that order.

create table index_reference_ordered (
    target_id text collate "C" not null,
    target_type text collate "C" not null,
    parameter bigint not null,
    leading_date bigint not null,
    resource_key bigint not null,
    primary key (target_id, target_type, parameter, leading_date, resource_key)
) /* clustered */;

insert into index_reference_ordered (target_id, target_type, parameter, leading_date, resource_key)
select i.target_id, i.target_type, i.parameter,
    coalesce(
        (
            select max(d.low) from index_date d join search_parameter p on p.id = d.parameter
            where d.resource_key = i.resource_key and (
                (p.code = 'authored-on' and p.type = 'Task')
                or (p.code = 'authored' and p.type in ('CommunicationRequest', 'QuestionnaireResponse', 'ServiceRequest'))
                or (p.code = 'authoredon' and p.type = 'MedicationRequest')
                or (p.code = 'date' and p.type in ('Appointment', 'AuditEvent', 'Composition', 'Consent', 'DocumentReference'))
                or (p.code = 'issued' and p.type = 'DiagnosticReport')
                or (p.code = 'recorded' and p.type = 'Provenance')
                or (p.code = 'recorded-date' and p.type = 'Condition')
                or (p.code = 'sent' and p.type = 'Communication')
            )
        ),
        -9223372036854775807
    ),
    i.resource_key
from index_reference i;

drop table index_reference;
alter table index_reference_ordered rename to index_reference;
create index index_reference_resource on index_reference (resource_key, parameter);
