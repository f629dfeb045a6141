{#
    What breaks if this fails: the number on the live board and the number in the marts
    come from different lifecycles. The stream goes on while dbt runs, so orders count
    only where both sides hold the same records: the same greatest offset of every
    partition the order has events in.
#}

with

live as (

    select * from {{ ref('stg_orders__current') }}

),

lifecycles as (

    select * from {{ ref('order_lifecycles') }}

),

partitions as (

    select
        order_id,
        topic_epoch,
        kafka_partition,
        max(kafka_offset) as kafka_offset

    from {{ ref('order_events') }}
    group by order_id, topic_epoch, kafka_partition

),

orders_covered as (

    select
        live.order_id,
        live.topic_epoch

    from live
    inner join partitions
        on live.order_id = partitions.order_id
        and live.topic_epoch = partitions.topic_epoch
    group by live.order_id, live.topic_epoch, cardinality(live.absorbed)
    having
        count(*) = cardinality(live.absorbed)
        and count(*) = count_if(
            element_at(live.absorbed, partitions.kafka_partition)
            = partitions.kafka_offset
        )

),

differences as (

    select
        live.order_id,
        live.current_status as live_status,
        lifecycles.current_status as silver_status,
        live.rejected_events as live_rejected_events,
        lifecycles.rejected_events as silver_rejected_events

    from orders_covered
    inner join live on orders_covered.order_id = live.order_id
    inner join lifecycles
        on orders_covered.order_id = lifecycles.order_id
        and orders_covered.topic_epoch = lifecycles.topic_epoch
    where
        live.current_status is distinct from lifecycles.current_status
        or coalesce(live.rejected_events, 0) <> lifecycles.rejected_events

)

select * from differences
