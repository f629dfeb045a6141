{{ config(
    alias='events_per_minute',
    unique_key=['window_start', 'event_type'],
    meta={'changes_only': true},
) }}

with

counts as (

    select * from {{ ref('stg_shop__events_per_minute') }}

),

served as (

    select
        window_start,
        event_type,
        event_count,
        updated_at

    from counts

)

select * from served
