with

records as (

    select
        *,
        {{ json_text('body', 'user_id') }} as user_id_text

    from {{ source('bronze', 'user_events') }}

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
        cast(partition_time as date) as event_date,
        entity_key,
        try_cast(case
            when regexp_like(user_id_text, '^[1-9][0-9]{0,17}$') then user_id_text
        end as bigint) as user_id,
        {{ json_text('body', 'page') }} as page,
        {{ json_text('body', 'source') }} as source,
        body

    from records

)

select * from typed
