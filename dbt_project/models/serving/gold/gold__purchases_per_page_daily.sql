{{ config(alias='purchases_per_page_daily', unique_key=['event_date', 'page']) }}

with

days as (

    select * from {{ ref('purchases_per_page_daily') }}

),

served as (

    select
        event_date,
        page,
        purchase_count,
        updated_at

    from days

)

select * from served
