-- One row per minute of event time and event type: how many Kafka records there were, producers' repeats included.
-- {events}: the readable bronze rows of a range; {state}: the table's rows as they stand.
with

arrived as (

    select
        date_trunc('minute', event_time) as window_start,
        event_type,
        topic_epoch,
        kafka_partition,
        kafka_offset,
        ingested_at
    from {events}

),

-- Only what lies above the row's own position counts, so a retried range changes nothing.
unabsorbed as (

    select arrived.*
    from arrived
    left join {state} as state
        on arrived.window_start = state.window_start
        and arrived.event_type = state.event_type
    where arrived.topic_epoch > coalesce(state.topic_epoch, 0)
    or (
        arrived.topic_epoch = state.topic_epoch
        and arrived.kafka_offset > coalesce(state.absorbed[arrived.kafka_partition], -1)
    )

),

by_partition as (

    select
        window_start,
        event_type,
        topic_epoch,
        kafka_partition,
        count(*) as event_count,
        max(kafka_offset) as kafka_offset,
        max(ingested_at) as ingested_at
    from unabsorbed
    group by window_start, event_type, topic_epoch, kafka_partition

),

added as (

    select
        window_start,
        event_type,
        sum(event_count) as event_count,
        max(topic_epoch) as topic_epoch,
        collect_list(struct(topic_epoch, kafka_partition, kafka_offset)) as places,
        max(ingested_at) as updated_at
    from by_partition
    group by window_start, event_type

)

select
    added.window_start,
    added.event_type,
    coalesce(state.event_count, 0) + added.event_count as event_count,
    added.topic_epoch,
    -- an earlier epoch's offsets say nothing about this one
    map_concat(
        if(state.topic_epoch = added.topic_epoch, state.absorbed, cast(map() as map<int, bigint>)),
        map_from_entries(transform(
            filter(added.places, place -> place.topic_epoch = added.topic_epoch),
            place -> struct(place.kafka_partition, place.kafka_offset)
        ))
    ) as absorbed,
    greatest(state.updated_at, added.updated_at) as updated_at
from added
left join {state} as state
    on added.window_start = state.window_start
    and added.event_type = state.event_type
