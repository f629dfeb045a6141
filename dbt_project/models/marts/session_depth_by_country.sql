with

sessions as (

    select * from {{ ref('int_sessions_placed') }}

),

summed as (

    select
        session_date,
        country,
        count(*) as session_count,
        count(distinct user_id) as user_count,
        cast(sum(duration_seconds) as bigint) as total_seconds,
        cast(sum(event_count) as bigint) as event_count,
        cast(sum(videos_watched) as bigint) as videos_watched,
        cast(
            cast(sum(duration_seconds) as decimal(18, 2)) / count(*) as decimal(18, 2)
        ) as average_seconds,
        cast(cast(sum(event_count) as decimal(18, 2)) / count(*) as decimal(18, 2))
            as average_events,
        cast(cast(sum(videos_watched) as decimal(18, 2)) / count(*) as decimal(18, 2))
            as average_videos_watched,
        max(duration_seconds) as longest_seconds,
        max(known_at) as updated_at

    from sessions
    group by session_date, country

)

select * from summed
