{#
    What breaks if this fails: a record of << topic >> was lost between bronze and silver, or
    counted twice: it is in silver, or a dead letter for its error. Bronze goes on growing, so
    each partition counts up to the greatest offset that silver holds.
#}

with

fences as (

    select
        topic_epoch,
        kafka_partition,
        max(kafka_offset) as last_offset

    from {{ ref('<< table >>') }}
    group by topic_epoch, kafka_partition

),

accounted as (

    select
        topic_epoch,
        kafka_partition,
        kafka_offset,
        0 as in_bronze,
        1 as in_account

    from {{ ref('<< table >>') }}

    union all

    select
        topic_epoch,
        kafka_partition,
        kafka_offset,
        0 as in_bronze,
        1 as in_account

    from {{ ref('<< staging >>') }}
    where error is not null

    union all

    select
        topic_epoch,
        kafka_partition,
        kafka_offset,
        1 as in_bronze,
        0 as in_account

    from {{ ref('<< staging >>') }}

)

select
    accounted.topic_epoch,
    accounted.kafka_partition,
    sum(accounted.in_bronze) as bronze_count,
    sum(accounted.in_account) as accounted_count

from accounted
inner join fences
    on accounted.topic_epoch = fences.topic_epoch
    and accounted.kafka_partition = fences.kafka_partition
    and accounted.kafka_offset <= fences.last_offset
group by accounted.topic_epoch, accounted.kafka_partition
having
    sum(accounted.in_bronze) <> sum(accounted.in_account)
    or sum(accounted.in_bronze * accounted.kafka_offset)
    <> sum(accounted.in_account * accounted.kafka_offset)
