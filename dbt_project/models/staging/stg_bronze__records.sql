{% set tables = {
    'orders': 'orders_events',
    'content_events': 'raw_events',
    'user_events': 'user_events',
} %}

with

stacked as (

    {% for stream, table in tables.items() %}
    select
        '{{ stream }}' as stream,
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
        body

    from {{ source('bronze', table) }}
    {{ 'union all' if not loop.last }}
    {% endfor %}

)

select * from stacked
