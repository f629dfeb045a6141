with

counts as (

    select * from {{ source('live_gold', 'logins_per_source') }}

),

renamed as (

    select
        window_start,
        source,
        login_count,
        topic_epoch,
        absorbed,
        updated_at

    from counts

)

select * from renamed
