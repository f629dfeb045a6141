-- One row per key: its last event that could be typed, the body's fields as columns.
-- {events}: the readable bronze rows of a range, with `event_order`; {state}: the table's rows as they stand. The key, the
-- body's types and the columns made from it are put in by the version of the schema; frozen are fields that read null
-- where they are of another type.
with

-- Only what lies above the row's own position counts, so a retried range changes nothing.
unabsorbed as (

    select
        arrived.*,
        arrived.error is not null as is_tombstone,
        from_json(
            arrived.body,
            ${types},
            ${options}
        ) as fields${read_frozen}
    from {events} as arrived
    left join {state} as state
        on arrived.entity_key = state.${key}
    where arrived.entity_key is not null
    and (
        arrived.topic_epoch > coalesce(state.topic_epoch, 0)
        or (
            arrived.topic_epoch = state.topic_epoch
            and arrived.kafka_offset > coalesce(state.absorbed[arrived.kafka_partition], -1)
        )
    )

),

-- An event that can't be typed moves the row's position and nothing else: never a null in place of a value.
by_key as (

    select
        entity_key,
        max_by(
            struct(event_id, event_type, event_time, kafka_partition, kafka_offset, is_tombstone, fields${kept_frozen}),
            event_order
        ) filter (where is_tombstone or fields.__unreadable is null) as last,
        max(topic_epoch) as topic_epoch,
        array_sort(collect_list(struct(topic_epoch, kafka_partition, kafka_offset))) as places,
        max(ingested_at) as updated_at
    from unabsorbed
    group by entity_key

)

select
    by_key.entity_key as ${key},
    if(last is null, state.event_id, last.event_id) as event_id,
    if(last is null, state.event_type, last.event_type) as event_type,
    if(last is null, state.event_time, last.event_time) as event_time,
    ${columns}
    if(last is null, state.is_deleted, last.is_tombstone) as is_deleted,
    if(last is null, state.kafka_partition, last.kafka_partition) as kafka_partition,
    if(last is null, state.kafka_offset, last.kafka_offset) as kafka_offset,
    by_key.topic_epoch,
    -- an earlier epoch's offsets say nothing about this one; of a partition's offsets the last, the greatest, stays
    map_concat(
        if(state.topic_epoch = by_key.topic_epoch, state.absorbed, cast(map() as map<int, bigint>)),
        map_from_entries(transform(
            filter(by_key.places, place -> place.topic_epoch = by_key.topic_epoch),
            place -> struct(place.kafka_partition, place.kafka_offset)
        ))
    ) as absorbed,
    greatest(state.updated_at, by_key.updated_at) as updated_at
from by_key
left join {state} as state
    on by_key.entity_key = state.${key}
where last is not null
or state.${key} is not null
