{{ config(
    materialized='incremental',
    incremental_strategy='merge',
    unique_key=['event_date', 'event_id'],
    properties={
        'format': "'PARQUET'",
        'partitioning': "ARRAY['event_date']",
        'sorted_by': "ARRAY['user_id']",
    },
) }}

{#
    An event is joined again when a record of it arrives, and when anything of its user or
    video arrives that is newer than all that events were joined to. So a member who becomes
    known late, or a change that comes late, reaches the events it is about.
#}

{% set records = ref('content_events') %}
{% set last = greatest_in_files(['user_updated_at', 'video_updated_at']) %}

with

users as (

    select * from {{ ref('dim_users') }}

),

videos as (

    select * from {{ ref('dim_videos') }}

),

{% if is_incremental() %}
users_changed as (

    select user_id from users
    where updated_at > {{ greatest_held('user_updated_at', last) }}

),

videos_changed as (

    select video_id from videos
    where updated_at > {{ greatest_held('video_updated_at', last) }}

),

events_touched as (

    select
        event_date,
        event_id
    from {{ new_arrivals(records, last) }}
    union distinct
    select
        event_date,
        event_id
    from {{ this }}
    where user_id in (select user_id from users_changed)
    union distinct
    select
        event_date,
        event_id
    from {{ this }}
    where video_id in (select video_id from videos_changed)

),

events as (

    select records.*
    from {{ records }} as records
    inner join events_touched
        on records.event_date = events_touched.event_date
        and records.event_id = events_touched.event_id
    where not records.is_duplicate

),
{% else %}
events as (

    select * from {{ records }}
    where not is_duplicate

),
{% endif %}

enriched as (

    select
        events.event_date,
        events.event_id,
        events.event_type,
        events.event_time,
        events.user_id,
        events.video_id,
        events.device,
        events.app_version,
        events.network,
        events.watch_ms,
        users.user_id is not null as is_user_known,
        users.is_deleted as is_user_deleted,
        users.country as user_country,
        users.plan as user_plan,
        users.status as user_status,
        users.updated_at as user_updated_at,
        videos.video_id is not null as is_video_known,
        videos.is_deleted as is_video_deleted,
        videos.category as video_category,
        videos.creator as video_creator,
        videos.status as video_status,
        videos.duration_seconds as video_duration_seconds,
        videos.updated_at as video_updated_at,
        events.topic,
        events.topic_epoch,
        events.kafka_partition,
        events.kafka_offset,
        events.kafka_timestamp,
        events.ingested_at

    from events
    left join users
        on events.user_id = users.user_id
        and events.event_time >= users.valid_from
        and events.event_time < users.valid_to
    left join videos
        on events.video_id = videos.video_id
        and events.event_time >= videos.valid_from
        and events.event_time < videos.valid_to

)

select * from enriched
