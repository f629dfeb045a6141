{{ config(alias='conversion_rate_daily', unique_key=['event_date']) }}

with

days as (

    select * from {{ ref('conversion_rate_daily') }}

),

served as (

    select
        event_date,
        conversion_rate,
        total_purchases,
        dau_count,
        updated_at

    from days

)

select * from served
