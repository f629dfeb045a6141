{{ config(
    materialized='incremental',
    incremental_strategy='merge',
    unique_key=['event_date', 'topic_epoch', 'kafka_partition', 'kafka_offset'],
    properties={
        'format': "'PARQUET'",
        'partitioning': "ARRAY['event_date']",
        'sorted_by': "ARRAY['user_id']",
    },
) }}

{#
    Repeats stay, flagged, so that whatever reads the events of a day knows which of them a
    new arrival displaced. An event is looked for among those of its own day only, or each
    run would read the ids of all history.
#}

{% set arrivals = new_arrivals(ref('stg_content__events')) %}
{% set columns %}topic, topic_epoch, kafka_partition, kafka_offset, kafka_timestamp,
        ingested_at, event_id, event_type, event_time, event_date, video_id, user_id,
        device, app_version, network, watch_ms{% endset %}

with

events as (

    select {{ columns }}
    from {{ arrivals }}
    where error is null

    {% if is_incremental() %}
    union all
    select {{ columns }}
    from {{ this }}
    where
        event_date in (select event_date from {{ arrivals }} where error is null)
        and event_id in (select event_id from {{ arrivals }} where error is null)
        and not {{ in_backfill('event_time') }}
    {% endif %}

),

repeats_flagged as (

    select
        {{ columns }},
        row_number() over (
            partition by event_date, event_id
            order by topic_epoch, kafka_timestamp, kafka_partition, kafka_offset
        ) > 1 as is_duplicate

    from events

)

select * from repeats_flagged
