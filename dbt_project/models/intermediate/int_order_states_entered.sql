with

events as (

    select * from {{ ref('order_events') }}
    where is_applied

),

states as (

    select
        order_id,
        status_after as status,
        event_time as entered_at,
        lead(event_time) over (
            partition by order_id order by event_number
        ) as left_at,
        ingested_at,
        topic,
        topic_epoch,
        kafka_partition,
        kafka_offset

    from events

)

select * from states
