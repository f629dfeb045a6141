{{ config(
    materialized='incremental',
    incremental_strategy='merge',
    unique_key=['stream', 'event_date'],
) }}

with

records as (

    select * from {{ ref('stg_bronze__records') }}
    where
        error is null
        and {{ touched_days(ref('stg_bronze__records'), 'ingested_at') }}

),

counted as (

    select
        stream,
        event_date,
        count(*) as record_count,
        count(distinct event_id) as event_count,
        max(ingested_at) as updated_at

    from records
    group by stream, event_date

),

compared as (

    select
        stream,
        event_date,
        record_count,
        event_count,
        record_count - event_count as duplicate_count,
        cast(
            cast(record_count - event_count as decimal(18, 6)) / record_count
            as decimal(7, 6)
        ) as duplicate_rate,
        updated_at

    from counted

)

select * from compared
