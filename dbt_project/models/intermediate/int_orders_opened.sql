with

orders as (

    select * from {{ ref('stg_orders__current') }}

),

opened as (

    select * from orders
    where current_status in ('CREATED', 'PAID') and not coalesce(is_deleted, false)

)

select * from opened
