with

items as (

    select * from {{ ref('order_items') }}

),

orders as (

    select * from {{ ref('order_lifecycles') }}

),

lines as (

    select
        coalesce(items.category, 'unknown') as category,
        coalesce(items.currency, 'unknown') as currency,
        items.order_id,
        items.quantity,
        cast(items.quantity as decimal(18, 0)) * items.unit_price as amount,
        orders.current_status in ('PAID', 'SHIPPED') as is_sold,
        orders.current_status = 'RETURNED' as is_returned,
        orders.updated_at

    from items
    inner join orders on items.order_id = orders.order_id

),

summed as (

    select
        category,
        currency,
        count(distinct order_id) as order_count,
        coalesce(sum(quantity), 0) as units_ordered,
        coalesce(sum(case when is_sold then quantity end), 0) as units_sold,
        coalesce(sum(case when is_sold then amount end), 0) as revenue,
        coalesce(sum(case when is_returned then quantity end), 0) as units_returned,
        coalesce(sum(case when is_returned then amount end), 0) as returned_amount,
        max(updated_at) as updated_at

    from lines
    group by category, currency

)

select * from summed
