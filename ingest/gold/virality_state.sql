-- One row per video: what viewers did with it in all, and by minute in the two hours up to its newest event.
-- {events}: the readable bronze rows of a range; {state}: the table's rows as they stand; {window_minutes}: how long the
-- recent window is. Minutes are counted since 1970. A minute is dropped once it is two hours older than the newest, which
-- only ever grows: so whenever a late event comes, and however the ranges are cut, the same minutes are left.
with

-- Only what lies above the row's own position counts, so a retried range changes nothing.
unabsorbed as (

    select
        arrived.entity_key as video_id,
        arrived.event_type,
        arrived.event_time,
        unix_seconds(arrived.event_time) div 60 as minute,
        arrived.topic_epoch,
        arrived.kafka_partition,
        arrived.kafka_offset,
        arrived.ingested_at
    from {events} as arrived
    left join {state} as state
        on arrived.entity_key = state.video_id
    where arrived.topic_epoch > coalesce(state.topic_epoch, 0)
    or (
        arrived.topic_epoch = state.topic_epoch
        and arrived.kafka_offset > coalesce(state.absorbed[arrived.kafka_partition], -1)
    )

),

by_partition as (

    select
        video_id,
        minute,
        topic_epoch,
        kafka_partition,
        count_if(event_type = 'impression') as impressions,
        count_if(event_type = 'play') as plays,
        count_if(event_type = 'like') as likes,
        count_if(event_type = 'share') as shares,
        max(event_time) as newest_event_at,
        max(kafka_offset) as kafka_offset,
        max(ingested_at) as ingested_at
    from unabsorbed
    group by video_id, minute, topic_epoch, kafka_partition

),

by_minute as (

    select
        video_id,
        minute,
        sum(impressions) as impressions,
        sum(plays) as plays,
        sum(likes) as likes,
        sum(shares) as shares,
        max(newest_event_at) as newest_event_at,
        max(topic_epoch) as topic_epoch,
        collect_list(struct(topic_epoch, kafka_partition, kafka_offset)) as places,
        max(ingested_at) as ingested_at
    from by_partition
    group by video_id, minute

),

added as (

    select
        video_id,
        sum(impressions) as impressions,
        sum(plays) as plays,
        sum(likes) as likes,
        sum(shares) as shares,
        max(newest_event_at) as newest_event_at,
        map_from_entries(
            collect_list(struct(minute, struct(impressions, plays, likes, shares)))
                filter (where impressions + plays + likes + shares > 0)
        ) as minute_counts,
        max(topic_epoch) as topic_epoch,
        array_sort(flatten(collect_list(places))) as places,
        max(ingested_at) as updated_at
    from by_minute
    group by video_id

),

brought_forward as (

    select
        added.video_id,
        coalesce(state.impressions, 0) + added.impressions as impressions,
        coalesce(state.plays, 0) + added.plays as plays,
        coalesce(state.likes, 0) + added.likes as likes,
        coalesce(state.shares, 0) + added.shares as shares,
        greatest(state.newest_event_at, added.newest_event_at) as newest_event_at,
        unix_seconds(greatest(state.newest_event_at, added.newest_event_at)) div 60 as newest_minute,
        if(
            state.video_id is null,
            added.minute_counts,
            map_zip_with(state.minute_counts, added.minute_counts, (minute, had, new) -> struct(
                coalesce(had.impressions, 0) + coalesce(new.impressions, 0) as impressions,
                coalesce(had.plays, 0) + coalesce(new.plays, 0) as plays,
                coalesce(had.likes, 0) + coalesce(new.likes, 0) as likes,
                coalesce(had.shares, 0) + coalesce(new.shares, 0) as shares
            ))
        ) as minute_counts,
        added.topic_epoch,
        -- an earlier epoch's offsets say nothing about this one; of a partition's offsets the last, the greatest, stays
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
        on added.video_id = state.video_id

),

windows as (

    select
        *,
        map_values(map_filter(
            minute_counts, (minute, counts) -> minute > newest_minute - {window_minutes}
        )) as recent,
        map_values(map_filter(
            minute_counts,
            (minute, counts) -> minute > newest_minute - 2 * {window_minutes}
            and minute <= newest_minute - {window_minutes}
        )) as before
    from brought_forward

),

-- Whole numbers up to here, so that no order of adding matters.
summed as (

    select
        *,
        aggregate(recent, 0L, (total, counts) -> total + counts.impressions) as recent_impressions,
        aggregate(recent, 0L, (total, counts) -> total + 5 * counts.likes + 10 * counts.shares) as recent_points,
        aggregate(before, 0L, (total, counts) -> total + counts.impressions) as before_impressions,
        aggregate(before, 0L, (total, counts) -> total + 5 * counts.likes + 10 * counts.shares) as before_points
    from windows

),

rated as (

    select
        *,
        if(recent_impressions > 0, recent_points / recent_impressions, 0d) as velocity,
        if(before_impressions > 0, before_points / before_impressions, 0d) as velocity_before
    from summed

)

select
    video_id,
    impressions,
    plays,
    likes,
    shares,
    newest_event_at,
    map_filter(minute_counts, (minute, counts) -> minute > newest_minute - 120) as minute_counts,
    velocity,
    velocity - velocity_before as acceleration,
    topic_epoch,
    absorbed,
    updated_at
from rated
