with

states as (

    select
        *,
        {{ seconds_between('entered_at', 'left_at') }} as seconds

    from {{ ref('int_order_states_entered') }}

),

summed as (

    select
        status,
        count(*) as orders_entered,
        count(left_at) as orders_left,
        sum(seconds) as total_seconds,
        cast(
            cast(sum(seconds) as decimal(18, 2)) / nullif(count(left_at), 0)
            as decimal(18, 2)
        ) as average_seconds,
        min(seconds) as shortest_seconds,
        max(seconds) as longest_seconds,
        max(ingested_at) as updated_at

    from states
    group by status

)

select * from summed
