with

videos as (

    select * from {{ ref('int_videos_categorised') }}

),

summed as (

    select
        category,
        count(*) as video_count,
        count(case when recent_impressions > 0 or recent_points > 0 then 1 end)
            as active_videos,
        sum(impressions) as impressions,
        sum(plays) as plays,
        sum(likes) as likes,
        sum(shares) as shares,
        coalesce(
            cast(sum(recent_points) as double) / nullif(sum(recent_impressions), 0), 0
        ) as velocity,
        coalesce(
            cast(sum(earlier_points) as double) / nullif(sum(earlier_impressions), 0), 0
        ) as earlier_velocity,
        max(newest_event_at) as newest_event_at,
        max(known_at) as updated_at

    from videos
    group by category

),

compared as (

    select
        category,
        video_count,
        active_videos,
        velocity,
        velocity - earlier_velocity as acceleration,
        impressions,
        plays,
        likes,
        shares,
        newest_event_at,
        updated_at

    from summed

)

select * from compared
