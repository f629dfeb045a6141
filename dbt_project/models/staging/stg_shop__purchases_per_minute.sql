with

counts as (

    select * from {{ source('live_gold', 'purchases_per_minute') }}

),

renamed as (

    select
        window_start,
        purchase_count,
        topic_epoch,
        absorbed,
        updated_at

    from counts

)

select * from renamed
