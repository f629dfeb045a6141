{#
    The payload drifts: what moved between releases is looked for in each of its places.
    What a record that could not be read says in parts is taken for nothing.
#}
with

records as (

    select
        *,
        case when error is null then body end as readable_body

    from {{ source('bronze', 'raw_events') }}

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
        {{ number_in(json_text('readable_body', 'user_id'), 'bigint') }} as user_id,
        coalesce(
            {{ json_text('readable_body', 'payload.device.os') }},
            {{ json_text('readable_body', 'payload.device') }}
        ) as device,
        {{ json_text('readable_body', 'payload.app_version') }} as app_version,
        coalesce(
            {{ json_text('readable_body', 'payload.playback.network.type') }},
            {{ json_text('readable_body', 'payload.network') }}
        ) as network,
        {{ number_in(json_text('readable_body', 'payload.watch_ms'), 'bigint') }}
            as watch_ms,
        body

    from records

)

select * from typed
