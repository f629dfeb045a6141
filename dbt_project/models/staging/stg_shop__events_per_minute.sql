with

counts as (

    select * from {{ source('live_gold', 'events_per_minute') }}

),

renamed as (

    select
        window_start,
        event_type,
        event_count,
        topic_epoch,
        absorbed,
        updated_at

    from counts

)

select * from renamed
