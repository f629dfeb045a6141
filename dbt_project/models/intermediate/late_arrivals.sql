{{ config(
    materialized='incremental',
    incremental_strategy='merge',
    unique_key=['stream', 'arrived_date', 'event_date'],
) }}

{# A day of arrivals is closed a day later: until then a batch may still be dated in it. #}

with

records as (

    select * from {{ ref('stg_bronze__records') }}

    {% if is_incremental() %}
    where
        ingested_at >= (
            select
                coalesce(
                    date_trunc('day', max(updated_at)) - interval '1' day,
                    timestamp '1970-01-01 00:00:00 UTC'
                )
            from {{ this }}
        )
    {% endif %}

),

lateness_measured as (

    select
        *,
        cast(ingested_at as date) as arrived_date,
        {{ seconds_between('event_time', 'kafka_timestamp') }} as seconds_late,
        {{ seconds_between('kafka_timestamp', 'ingested_at') }} as seconds_to_arrive

    from records
    where error is null

),

counted as (

    select
        stream,
        arrived_date,
        event_date,
        arrived_date > event_date as is_restatement,
        count(*) as record_count,
        count_if(seconds_late <= 120) as on_time_count,
        count_if(seconds_late > 120 and seconds_late <= 3600) as minutes_late_count,
        count_if(seconds_late > 3600 and seconds_late <= 86400) as hours_late_count,
        count_if(seconds_late > 86400) as days_late_count,
        max(seconds_late) as greatest_seconds_late,
        max(seconds_to_arrive) as greatest_seconds_to_arrive,
        max(ingested_at) as updated_at

    from lateness_measured
    group by stream, arrived_date, event_date

)

select * from counted
