{% test accounts_for(model, records) %}
{#
    Each record up to the model's own fence is in it once, or has an error. Offsets are summed
    up too, so that one record too many does not make up for one too few.
#}
with

fences as (

    select
        topic_epoch,
        kafka_partition,
        max(kafka_offset) as last_offset

    from {{ model }}
    group by topic_epoch, kafka_partition

),

both_sides as (

    select
        topic_epoch,
        kafka_partition,
        kafka_offset,
        0 as in_records,
        1 as in_model

    from {{ model }}

    union all

    select
        topic_epoch,
        kafka_partition,
        kafka_offset,
        1 as in_records,
        case when error is null then 0 else 1 end as in_model

    from {{ records }}

)

select
    both_sides.topic_epoch,
    both_sides.kafka_partition,
    sum(both_sides.in_records) as record_count,
    sum(both_sides.in_model) as accounted_count

from both_sides
inner join fences
    on both_sides.topic_epoch = fences.topic_epoch
    and both_sides.kafka_partition = fences.kafka_partition
    and both_sides.kafka_offset <= fences.last_offset
group by both_sides.topic_epoch, both_sides.kafka_partition
having
    sum(both_sides.in_records) <> sum(both_sides.in_model)
    or sum(both_sides.in_records * both_sides.kafka_offset)
    <> sum(both_sides.in_model * both_sides.kafka_offset)
{% endtest %}
