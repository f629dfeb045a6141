{#
    What breaks if this fails: a record was lost between bronze and silver, or counted
    twice, and neither the marts nor the dead letters would show it. Bronze goes on
    growing, so each partition counts up to the greatest offset silver holds. Offsets are
    summed up too, so that one record too many does not make up for one too few.
#}

with

records as (

    select * from {{ ref('user_event_records') }}

),

silver as (

    select
        'user_events' as stream,
        topic_epoch,
        kafka_partition,
        kafka_offset

    from {{ ref('shop_events') }}

    union all

    select
        'user_events' as stream,
        topic_epoch,
        kafka_partition,
        kafka_offset

    from records
    where is_duplicate

    union all

    select
        'orders' as stream,
        topic_epoch,
        kafka_partition,
        kafka_offset

    from {{ ref('order_events') }}

),

accounted as (

    select * from silver
    union all
    select
        stream,
        topic_epoch,
        kafka_partition,
        kafka_offset

    from {{ ref('dead_letters') }}
    where stream in ('user_events', 'orders')

),

fences as (

    select
        'user_events' as stream,
        topic_epoch,
        kafka_partition,
        max(kafka_offset) as last_offset

    from records
    group by topic_epoch, kafka_partition

    union all

    select
        'orders' as stream,
        topic_epoch,
        kafka_partition,
        max(kafka_offset) as last_offset

    from {{ ref('order_events') }}
    group by topic_epoch, kafka_partition

),

both_sides as (

    select
        stream,
        topic_epoch,
        kafka_partition,
        kafka_offset,
        1 as in_bronze,
        0 as in_account

    from {{ ref('stg_bronze__records') }}

    union all

    select
        *,
        0 as in_bronze,
        1 as in_account

    from accounted

),

counted as (

    select
        both_sides.stream,
        both_sides.topic_epoch,
        both_sides.kafka_partition,
        sum(both_sides.in_bronze) as bronze_count,
        sum(both_sides.in_account) as accounted_count,
        sum(both_sides.in_bronze * both_sides.kafka_offset) as bronze_offset_sum,
        sum(both_sides.in_account * both_sides.kafka_offset) as accounted_offset_sum

    from both_sides
    inner join fences
        on both_sides.stream = fences.stream
        and both_sides.topic_epoch = fences.topic_epoch
        and both_sides.kafka_partition = fences.kafka_partition
        and both_sides.kafka_offset <= fences.last_offset
    group by
        both_sides.stream,
        both_sides.topic_epoch,
        both_sides.kafka_partition

)

select * from counted
where
    bronze_count <> accounted_count
    or bronze_offset_sum <> accounted_offset_sum
