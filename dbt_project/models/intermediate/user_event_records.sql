{{ config(
    materialized='incremental',
    incremental_strategy='merge',
    unique_key=['event_date', 'topic_epoch', 'kafka_partition', 'kafka_offset'],
    properties={'format': "'PARQUET'", 'partitioning': "ARRAY['event_date']"},
) }}

{#
    Repeats stay, flagged, so that a winner can lose to a record that arrives later and is
    the earlier one. An event is looked for among those of its own day only, or each run
    would read the ids of all history.
#}

{% set arrivals = new_arrivals(ref('int_user_events_validated')) %}
{% set columns %}topic, topic_epoch, kafka_partition, kafka_offset, kafka_timestamp,
        ingested_at, error, event_id, event_type, event_time, event_date,
        entity_key, user_id, page, source, rejection_reason{% endset %}

with

records as (

    select
        {{ columns }},
        case when rejection_reason is not null then body end as rejected_body

    from {{ arrivals }}

    {% if is_incremental() %}
    union all
    select
        {{ columns }},
        rejected_body

    from {{ this }}
    where
        rejection_reason is null
        and event_date in (
            select event_date from {{ arrivals }}
            where rejection_reason is null
        )
        and event_id in (
            select event_id from {{ arrivals }}
            where rejection_reason is null
        )
        and not {{ in_backfill('event_time') }}
    {% endif %}

),

repeats_flagged as (

    select
        {{ columns }},
        rejected_body,
        rejection_reason is null
        and row_number() over (
            partition by rejection_reason is null, event_date, event_id
            order by topic_epoch, kafka_timestamp, kafka_partition, kafka_offset
        ) > 1 as is_duplicate

    from records

)

select * from repeats_flagged
