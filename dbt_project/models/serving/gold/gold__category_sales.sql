{{ config(alias='category_sales', unique_key=['category', 'currency']) }}

with

sales as (

    select * from {{ ref('category_sales') }}

),

served as (

    select
        category,
        currency,
        order_count,
        units_ordered,
        units_sold,
        revenue,
        units_returned,
        returned_amount,
        updated_at

    from sales

)

select * from served
