{#
    What breaks if this fails: a session was cut without some of its events, or one that
    another swallowed is still there, and no later run would notice.
#}

with

events as (

    select
        user_id,
        count(*) as event_count,
        min(event_time) as first_at,
        max(event_time) as last_at

    from {{ ref('content_events') }}
    where not is_duplicate and user_id is not null
    group by user_id

),

sessions as (

    select
        user_id,
        sum(event_count) as event_count,
        min(started_at) as first_at,
        max(ended_at) as last_at

    from {{ ref('sessions') }}
    group by user_id

),

differences as (

    select
        events.user_id,
        sessions.user_id as user_id_of_sessions,
        events.event_count,
        sessions.event_count as event_count_of_sessions

    from events
    full outer join sessions on events.user_id = sessions.user_id
    where
        events.event_count is distinct from sessions.event_count
        or events.first_at is distinct from sessions.first_at
        or events.last_at is distinct from sessions.last_at

)

select * from differences
