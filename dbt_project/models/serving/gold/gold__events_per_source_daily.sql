{{ config(alias='events_per_source_daily', unique_key=['event_date', 'source']) }}

with

days as (

    select * from {{ ref('events_per_source_daily') }}

),

served as (

    select
        event_date,
        source,
        event_count,
        updated_at

    from days

)

select * from served
