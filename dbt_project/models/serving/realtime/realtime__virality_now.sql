{{ config(alias='virality_now', unique_key=['video_id']) }}

with

videos as (

    select * from {{ ref('virality_now') }}

),

fastest as (

    select
        video_id,
        velocity,
        acceleration,
        impressions,
        plays,
        likes,
        shares,
        newest_event_at,
        updated_at

    from videos
    order by velocity desc, newest_event_at desc, video_id asc
    limit 100

)

select * from fastest
