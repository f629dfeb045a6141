{{ config(
    materialized='incremental',
    incremental_strategy='merge',
    unique_key=['session_date', 'session_id'],
    properties={
        'format': "'PARQUET'",
        'partitioning': "ARRAY['session_date']",
        'sorted_by': "ARRAY['user_id']",
    },
    meta={'gone_when': 'fresh.event_count = 0'},
) }}

{#
    A late event can join two sessions into one, and one that was displaced as a repeat can
    part them. So whoever is touched is cut again, from the start of the earliest session
    that an event of theirs can touch to the end of the last. A session that is no more is
    shown to the merge without events, and goes in the same statement.
    Arrivals are counted from the newest record of each session: some are read again, none
    is missed.
#}

{% set timeout -%}interval '{{ var("session_timeout_minutes") }}' minute{%- endset %}
{% set events = ref('content_events') %}
{% set types = ['impression', 'play', 'like', 'share', 'finish', 'skip'] %}

with

{% if is_incremental() %}
keys_touched as (

    select distinct
        event_date,
        event_id
    from {{ new_arrivals(events) }}

),

users_touched as (

    select
        events.user_id,
        min(events.event_time) - {{ timeout }} as touched_from,
        max(events.event_time) + {{ timeout }} as touched_to

    from {{ events }} as events
    inner join keys_touched
        on events.event_date = keys_touched.event_date
        and events.event_id = keys_touched.event_id
    group by events.user_id

),

sessions_touched as (

    select
        sessions.session_id,
        sessions.session_date,
        sessions.user_id,
        sessions.started_at,
        sessions.ended_at

    from {{ this }} as sessions
    inner join users_touched
        on sessions.user_id = users_touched.user_id
        and sessions.ended_at >= users_touched.touched_from
        and sessions.started_at <= users_touched.touched_to

),

stretches as (

    select
        users_touched.user_id,
        least(
            users_touched.touched_from,
            coalesce(min(sessions_touched.started_at), users_touched.touched_from)
        ) as cut_from,
        greatest(
            users_touched.touched_to,
            coalesce(max(sessions_touched.ended_at), users_touched.touched_to)
        ) as cut_to

    from users_touched
    left join sessions_touched on users_touched.user_id = sessions_touched.user_id
    group by
        users_touched.user_id, users_touched.touched_from, users_touched.touched_to

),

events as (

    select events.*
    from {{ events }} as events
    inner join stretches
        on events.user_id = stretches.user_id
        and events.event_time >= stretches.cut_from
        and events.event_time <= stretches.cut_to
    where not events.is_duplicate

),
{% else %}
sessions_touched as (

    select
        event_id as session_id,
        event_date as session_date,
        user_id
    from {{ events }}
    where false

),

events as (

    select * from {{ events }}
    where not is_duplicate and user_id is not null

),
{% endif %}

session_starts_flagged as (

    select
        *,
        coalesce(
            event_time > lag(event_time) over (
                partition by user_id order by event_time, event_id
            ) + {{ timeout }},
            true
        ) as is_session_start

    from events

),

sessions_numbered as (

    select
        *,
        sum(case when is_session_start then 1 else 0 end) over (
            partition by user_id
            order by event_time, event_id
            rows between unbounded preceding and current row
        ) as session_number

    from session_starts_flagged

),

records_ranked as (

    select
        *,
        row_number() over (
            partition by user_id, session_number
            order by
                topic_epoch desc,
                kafka_timestamp desc,
                kafka_partition desc,
                kafka_offset desc
        ) as recency

    from sessions_numbered

),

sessions_cut as (

    select
        user_id,
        min(event_time) as started_at,
        max(event_time) as ended_at,
        max(case when is_session_start then event_id end) as first_event_id,
        count(*) as event_count,
        {% for type in types %}
        count(case when event_type = '{{ type }}' then 1 end) as {{ type }}_count,
        {% endfor %}
        count(distinct case when event_type = 'play' then video_id end)
            as videos_watched,
        max(case when recency = 1 then topic end) as topic,
        max(case when recency = 1 then topic_epoch end) as topic_epoch,
        max(case when recency = 1 then kafka_partition end) as kafka_partition,
        max(case when recency = 1 then kafka_offset end) as kafka_offset,
        max(ingested_at) as updated_at

    from records_ranked
    group by user_id, session_number

),

sessions_named as (

    select
        {{ text_hash(['user_id', 'cast(started_at as date)', 'first_event_id']) }}
            as session_id,
        cast(started_at as date) as session_date,
        {{ seconds_between('started_at', 'ended_at') }} as duration_seconds,
        *

    from sessions_cut

),

sessions_kept_or_gone as (

    select
        coalesce(sessions_named.session_id, sessions_touched.session_id) as session_id,
        coalesce(sessions_named.session_date, sessions_touched.session_date)
            as session_date,
        coalesce(sessions_named.user_id, sessions_touched.user_id) as user_id,
        sessions_named.started_at,
        sessions_named.ended_at,
        sessions_named.duration_seconds,
        coalesce(sessions_named.event_count, 0) as event_count,
        {% for type in types %}
        sessions_named.{{ type }}_count,
        {% endfor %}
        sessions_named.videos_watched,
        sessions_named.topic,
        sessions_named.topic_epoch,
        sessions_named.kafka_partition,
        sessions_named.kafka_offset,
        sessions_named.updated_at

    from sessions_named
    full outer join sessions_touched
        on sessions_named.session_date = sessions_touched.session_date
        and sessions_named.session_id = sessions_touched.session_id

)

select * from sessions_kept_or_gone
