with

videos as (

    select * from {{ ref('int_video_windows_counted') }}

),

categories as (

    select * from {{ ref('dim_videos') }}
    where is_current

),

videos_categorised as (

    select
        videos.*,
        coalesce(categories.category, 'unknown') as category,
        greatest(
            videos.updated_at, coalesce(categories.updated_at, videos.updated_at)
        ) as known_at

    from videos
    left join categories on videos.video_id = categories.video_id

)

select * from videos_categorised
