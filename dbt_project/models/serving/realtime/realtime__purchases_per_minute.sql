{{ config(
    alias='purchases_per_minute',
    unique_key=['window_start'],
    meta={'changes_only': true},
) }}

with

counts as (

    select * from {{ ref('stg_shop__purchases_per_minute') }}

),

served as (

    select
        window_start,
        purchase_count,
        updated_at

    from counts

)

select * from served
