with

records as (

    select * from {{ source('bronze', 'orders_events') }}

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
        {{ json_text('body', 'user_id') }} as user_id,
        try_cast(
            {{ json_text('body', 'total_amount') }} as decimal(18, 2)
        ) as total_amount,
        {{ json_text('body', 'currency') }} as currency,
        {{ json_text('body', 'payment_method') }} as payment_method,
        {{ json_objects('body', 'items', {
            'sku': 'varchar',
            'quantity': 'bigint',
            'unit_price': 'decimal(18, 2)',
            'category': 'varchar',
        }) }} as items

    from records

)

select * from typed
