{#
    What breaks if this fails: conversion and durations, which take one time per step of
    an order for granted. Judged from neighbouring events, apart from the windows that
    order_events decides by.
#}

with

applied as (

    select
        order_id,
        event_number,
        status_after,
        lag(status_after) over (
            partition by order_id order by event_number
        ) as status_before

    from {{ ref('order_events') }}
    where is_applied

)

select * from applied
where
    coalesce(status_before || ' ', '') || status_after not in (
        'CREATED',
        'CREATED PAID',
        'CREATED CANCELLED',
        'PAID SHIPPED',
        'PAID CANCELLED',
        'SHIPPED RETURNED'
    )
