with

orders as (

    select * from {{ ref('int_orders_opened') }}

),

lines as (

    select
        orders.order_id,
        orders.updated_at,
        element_at(orders.items, line_number).sku as sku,
        element_at(orders.items, line_number).category as category,
        element_at(orders.items, line_number).quantity as quantity

    from orders
    {{ numbered_lines('orders.items', 'line_number') }}

),

counted as (

    select
        sku,
        max(category) as category,
        sum(quantity) as units_on_order,
        count(distinct order_id) as order_count,
        max(updated_at) as updated_at

    from lines
    where sku is not null
    group by sku

)

select * from counted
