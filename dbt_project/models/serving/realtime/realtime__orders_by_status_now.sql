{{ config(alias='orders_by_status_now', unique_key=['status', 'currency']) }}

with

orders as (

    select * from {{ ref('orders_by_status_now') }}

),

served as (

    select
        status,
        currency,
        order_count,
        total_amount,
        updated_at

    from orders

)

select * from served
