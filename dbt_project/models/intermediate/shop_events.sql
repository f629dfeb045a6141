{{ config(alias='user_events') }}

with

records as (

    select * from {{ ref('user_event_records') }}
    where rejection_reason is null and not is_duplicate

),

events as (

    select
        event_id,
        event_type,
        event_time,
        event_date,
        user_id,
        page,
        source,
        topic,
        topic_epoch,
        kafka_partition,
        kafka_offset,
        kafka_timestamp,
        ingested_at

    from records

)

select * from events
