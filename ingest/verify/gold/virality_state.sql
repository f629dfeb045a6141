-- One row per video as it must stand once the events up to a fence are absorbed.
-- Written apart from the fold of ingest/gold/virality_state.sql: the windows are cut out of all events of a video, not
-- out of the minutes that are kept. `events` are the bronze rows to count, `slice` is a share of the keys.
with

readable as (

    select
        entity_key as video_id,
        event_type,
        event_time,
        date_diff('minute', timestamp '1970-01-01 00:00:00 UTC', event_time) as minute,
        topic_epoch,
        kafka_partition,
        kafka_offset,
        ingested_at
    from ${events}
    where error is null
    and ${slice}

),

by_minute as (

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
        max(kafka_offset) as last_offset,
        max(ingested_at) as last_ingested_at,
        max(max(minute)) over (partition by video_id) - minute as minutes_ago,
        max(max(topic_epoch)) over (partition by video_id) as last_epoch
    from readable
    group by video_id, minute, topic_epoch, kafka_partition

),

videos as (

    select
        video_id,
        sum(impressions) as impressions,
        sum(plays) as plays,
        sum(likes) as likes,
        sum(shares) as shares,
        max(newest_event_at) as newest_event_at,
        sum(impressions) filter (where minutes_ago < ${window_minutes}) as recent_impressions,
        sum(5 * likes + 10 * shares) filter (where minutes_ago < ${window_minutes}) as recent_points,
        sum(impressions) filter (where minutes_ago / ${window_minutes} = 1) as before_impressions,
        sum(5 * likes + 10 * shares) filter (where minutes_ago / ${window_minutes} = 1) as before_points,
        last_epoch as topic_epoch,
        max(last_ingested_at) as updated_at
    from by_minute
    group by video_id, last_epoch

),

positions as (

    select
        video_id,
        map_agg(kafka_partition, last_offset) as absorbed
    from (
        select
            video_id,
            kafka_partition,
            max(last_offset) as last_offset
        from by_minute
        where topic_epoch = last_epoch
        group by video_id, kafka_partition
    )
    group by video_id

),

minutes_kept as (

    select
        video_id,
        map_agg(minute, cast(
            row(impressions, plays, likes, shares)
            as row(impressions bigint, plays bigint, likes bigint, shares bigint)
        )) as minute_counts
    from (
        select
            video_id,
            minute,
            sum(impressions) as impressions,
            sum(plays) as plays,
            sum(likes) as likes,
            sum(shares) as shares
        from by_minute
        where minutes_ago < 120
        group by video_id, minute
    )
    where impressions + plays + likes + shares > 0
    group by video_id

),

rated as (

    select
        *,
        coalesce(cast(recent_points as double) / nullif(recent_impressions, 0), 0e0) as velocity,
        coalesce(cast(before_points as double) / nullif(before_impressions, 0), 0e0) as velocity_before
    from videos

)

select
    rated.video_id,
    impressions,
    plays,
    likes,
    shares,
    newest_event_at,
    coalesce(
        minute_counts,
        cast(map() as map(bigint, row(impressions bigint, plays bigint, likes bigint, shares bigint)))
    ) as minute_counts,
    velocity,
    velocity - velocity_before as acceleration,
    topic_epoch,
    absorbed,
    updated_at
from rated
inner join positions on rated.video_id = positions.video_id
left join minutes_kept on rated.video_id = minutes_kept.video_id
