{# What a record that could not be read says in parts is taken for nothing. #}
with

records as (

    select
        *,
        case when error is null then body end as readable_body

    from {{ source('bronze', 'orders_events') }}

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
        entity_key as order_id,
        {{ json_text('readable_body', 'user_id') }} as user_id,
        {{ number_in(json_text('readable_body', 'total_amount'), 'decimal(18, 2)') }}
            as total_amount,
        {{ json_text('readable_body', 'currency') }} as currency,
        {{ json_text('readable_body', 'payment_method') }} as payment_method,
        {{ json_objects('readable_body', 'items', {
            'sku': 'varchar',
            'quantity': 'bigint',
            'unit_price': 'decimal(18, 2)',
            'category': 'varchar',
        }) }} as items

    from records

)

select * from typed
