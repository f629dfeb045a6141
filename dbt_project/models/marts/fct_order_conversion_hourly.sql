with

orders as (

    select
        *,
        date_trunc('hour', created_at) as created_hour,
        {{ seconds_between('created_at', 'paid_at') }} as seconds_to_payment

    from {{ ref('order_lifecycles') }}
    where created_at is not null

),

hours as (

    select
        created_hour,
        count(*) as created_orders,
        count(paid_at) as paid_orders,
        count_if(paid_at is null and cancelled_at is not null) as abandoned_orders,
        cast(cast(count(paid_at) as decimal(18, 4)) / count(*) as decimal(5, 4))
            as conversion_rate,
        cast(
            cast(sum(seconds_to_payment) as decimal(18, 2)) / nullif(count(paid_at), 0)
            as decimal(18, 2)
        ) as average_seconds_to_payment,
        max(updated_at) as updated_at

    from orders
    group by created_hour

)

select * from hours
