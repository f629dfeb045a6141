with

orders as (

    select * from {{ ref('int_orders_kept') }}

),

counted as (

    select
        current_status as status,
        coalesce(currency, 'unknown') as currency,
        count(*) as order_count,
        sum(total_amount) as total_amount,
        max(updated_at) as updated_at

    from orders
    group by current_status, coalesce(currency, 'unknown')

)

select * from counted
