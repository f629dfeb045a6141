{#
    What breaks if this fails: an incremental run skipped a record, or wrote one that
    bronze has not, and no later run would notice. Bronze goes on growing, so each
    partition counts up to the greatest offset silver holds.
#}

with

records as (

    select * from {{ ref('stg_orders__events') }}
    where error is null

),

events as (

    select * from {{ ref('order_events') }}

),

fences as (

    select
        topic_epoch,
        kafka_partition,
        max(kafka_offset) as kafka_offset,
        count(*) as event_count,
        sum(kafka_offset) as offset_sum

    from events
    group by topic_epoch, kafka_partition

),

counted as (

    select
        fences.topic_epoch,
        fences.kafka_partition,
        fences.event_count,
        fences.offset_sum,
        count(records.kafka_offset) as record_count,
        sum(records.kafka_offset) as record_offset_sum

    from fences
    left join records
        on fences.topic_epoch = records.topic_epoch
        and fences.kafka_partition = records.kafka_partition
        and fences.kafka_offset >= records.kafka_offset
    group by
        fences.topic_epoch,
        fences.kafka_partition,
        fences.event_count,
        fences.offset_sum

)

select * from counted
where event_count <> record_count or offset_sum is distinct from record_offset_sum
