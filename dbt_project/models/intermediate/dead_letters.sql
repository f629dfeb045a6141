{# The header's errors are bronze's own; only what SQL rejects has to be kept by SQL. #}

with

unreadable as (

    select * from {{ ref('stg_bronze__records') }}
    where error is not null and stream <> 'user_events'

),

rejected as (

    select * from {{ ref('user_event_records') }}
    where rejection_reason is not null

),

stacked as (

    select
        stream,
        error as reason,
        'header' as rejected_by,
        topic,
        topic_epoch,
        kafka_partition,
        kafka_offset,
        kafka_timestamp,
        ingested_at,
        event_date,
        event_id,
        event_type,
        entity_key,
        body

    from unreadable

    union all

    select
        'user_events' as stream,
        rejection_reason as reason,
        case when error is null then 'validation' else 'header' end as rejected_by,
        topic,
        topic_epoch,
        kafka_partition,
        kafka_offset,
        kafka_timestamp,
        ingested_at,
        event_date,
        event_id,
        event_type,
        entity_key,
        rejected_body as body

    from rejected

)

select * from stacked
