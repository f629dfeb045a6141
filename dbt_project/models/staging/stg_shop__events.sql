{# What a record that could not be read says in parts is taken for nothing. #}
with

records as (

    select
        *,
        case when error is null then body end as readable_body

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
        try_cast(regexp_extract(
            {{ json_text('readable_body', 'user_id') }}, '^([1-9][0-9]{0,17})\z', 1
        ) as bigint) as user_id,
        {{ json_text('readable_body', 'page') }} as page,
        {{ json_text('readable_body', 'source') }} as source,
        body

    from records

)

select * from typed
