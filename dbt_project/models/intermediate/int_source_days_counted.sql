{{ config(
    materialized='incremental',
    incremental_strategy='merge',
    unique_key=['event_date', 'source'],
    meta={'gone_when': 'fresh.event_count = 0'},
) }}

with

records as (

    select * from {{ ref('user_event_records') }}
    where
        rejection_reason is null
        and {{ touched_days(ref('user_event_records'), 'ingested_at') }}

),

counted as (

    select
        event_date,
        source,
        count_if(not is_duplicate) as event_count,
        max(case when not is_duplicate then ingested_at end) as updated_at

    from records
    group by event_date, source

),

days_left as (

    select * from counted
    where event_count > 0 or {{ is_incremental() }}

)

select * from days_left
