with

days as (

    select * from {{ ref('int_user_days_counted') }}

),

rated as (

    select
        event_date,
        cast(
            cast(buyer_count as decimal(18, 4)) / dau_count as decimal(5, 4)
        ) as conversion_rate,
        total_purchases,
        dau_count,
        updated_at

    from days

)

select * from rated
