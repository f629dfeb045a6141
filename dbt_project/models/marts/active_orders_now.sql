with

orders as (

    select * from {{ ref('int_orders_opened') }}

),

counted as (

    select
        current_status,
        currency,
        count(*) as order_count,
        sum(total_amount) as total_amount,
        min(status_changed_at) as oldest_status_changed_at,
        max(updated_at) as updated_at

    from orders
    group by current_status, currency

)

select * from counted
