with

orders as (

    select * from {{ ref('stg_orders__current') }}

),

kept as (

    select * from orders
    where current_status is not null and not coalesce(is_deleted, false)

)

select * from kept
