{{ config(
    materialized='incremental',
    incremental_strategy='merge',
    unique_key=['event_date', 'topic_epoch', 'kafka_partition', 'kafka_offset'],
    properties={'format': "'PARQUET'", 'partitioning': "ARRAY['event_date']"},
) }}

{#
    Repeats stay, flagged, so that a winner can lose to a record that arrives later and is
    the earlier one; judged_at then moves on each record of that event, on whatever day.
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
        and event_id in (
            select event_id from {{ arrivals }}
            where rejection_reason is null
        )
        and not {{ in_backfill('event_time') }}
    {% endif %}

),

arrivals_numbered as (

    select
        *,
        row_number() over (
            partition by rejection_reason is null, event_id
            order by topic_epoch, kafka_timestamp, kafka_partition, kafka_offset
        ) as arrival_number,
        max(ingested_at) over (
            partition by rejection_reason is null, event_id
        ) as last_ingested_at

    from records

),

judged as (

    select
        {{ columns }},
        rejected_body,
        rejection_reason is null and arrival_number > 1 as is_duplicate,
        case
            when rejection_reason is null then last_ingested_at
            else ingested_at
        end as judged_at

    from arrivals_numbered

)

select * from judged
