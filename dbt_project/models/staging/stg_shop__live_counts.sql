with

events as (

    select * from {{ source('live_gold', 'events_per_minute') }}

),

logins as (

    select * from {{ source('live_gold', 'logins_per_source') }}

),

purchases as (

    select * from {{ source('live_gold', 'purchases_per_minute') }}

),

stacked as (

    select
        'events_per_minute' as metric,
        event_type as slice,
        window_start,
        event_count as live_count,
        topic_epoch,
        absorbed

    from events

    union all

    select
        'logins_per_source' as metric,
        source as slice,
        window_start,
        login_count as live_count,
        topic_epoch,
        absorbed

    from logins

    union all

    select
        'purchases_per_minute' as metric,
        'all' as slice,
        window_start,
        purchase_count as live_count,
        topic_epoch,
        absorbed

    from purchases

)

select * from stacked
