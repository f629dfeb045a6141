with

videos as (

    select * from {{ source('live_gold', 'virality_state') }}

),

renamed as (

    select
        video_id,
        impressions,
        plays,
        likes,
        shares,
        newest_event_at,
        minute_counts,
        velocity,
        acceleration,
        topic_epoch,
        absorbed,
        updated_at

    from videos

)

select * from renamed
