{# The payload drifts: what moved between releases is looked for in each of its places. #}
with

records as (

    select * from {{ source('bronze', 'raw_events') }}

),

typed as (

    select
        topic,
        topic_epoch,
        kafka_partition,
        kafka_offset,
        kafka_timestamp,
        ingested_at,
        error,
        event_id,
        event_type,
        event_time,
        cast(event_time as date) as event_date,
        entity_key as video_id,
        try_cast({{ json_text('body', 'user_id') }} as bigint) as user_id,
        coalesce(
            {{ json_text('body', 'payload.device.os') }},
            {{ json_text('body', 'payload.device') }}
        ) as device,
        {{ json_text('body', 'payload.app_version') }} as app_version,
        coalesce(
            {{ json_text('body', 'payload.playback.network.type') }},
            {{ json_text('body', 'payload.network') }}
        ) as network,
        try_cast({{ json_text('body', 'payload.watch_ms') }} as bigint) as watch_ms,
        {{ json_fragment('body', 'payload') }} as payload

    from records

)

select * from typed
