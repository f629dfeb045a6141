with

videos as (

    select * from {{ ref('int_video_windows_counted') }}

),

rated as (

    select
        *,
        coalesce(cast(recent_points as double) / nullif(recent_impressions, 0), 0)
            as velocity,
        coalesce(cast(earlier_points as double) / nullif(earlier_impressions, 0), 0)
            as earlier_velocity

    from videos

),

compared as (

    select
        video_id,
        velocity,
        velocity - earlier_velocity as acceleration,
        impressions,
        plays,
        likes,
        shares,
        newest_event_at,
        updated_at

    from rated

)

select * from compared
