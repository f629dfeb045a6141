with

events as (

    select * from {{ ref('<< table >>') }}
    where not is_duplicate

),

counted as (

    select
        event_date,
<% if event_type %>
        event_type,
<% endif %>
        count(*) as event_count,
        count(distinct entity_key) as key_count,
        max(ingested_at) as updated_at

    from events
    group by event_date<< ', event_type' if event_type else '' >>

)

select * from counted
