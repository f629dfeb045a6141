-- One row per order as it must stand once the events up to a fence are absorbed.
-- Written apart from the fold of ingest/gold/orders_current.sql: the lifecycle is not run through event by event, the
-- place of each legal transition is looked up. `events` are the bronze rows to count, `slice` is a share of the keys;
-- text_of() is in compare.sql.
with

readable as (

    select
        entity_key as order_id,
        event_id,
        event_type,
        event_time,
        topic_epoch,
        kafka_partition,
        kafka_offset,
        ingested_at,
        -- Offsets of two partitions say nothing about order: then the broker's clock decides.
        if(
            min(kafka_partition) over of_epoch <> max(kafka_partition) over of_epoch,
            kafka_timestamp
        ) as order_time
    from ${events}
    where error is null
    and ${slice}
    window of_epoch as (partition by entity_key, topic_epoch)

),

in_order as (

    select
        *,
        row_number() over (
            partition by order_id
            order by topic_epoch, order_time, if(order_time is not null, kafka_partition), kafka_offset
        ) as position
    from readable

),

first_heard as (

    select
        *,
        row_number() over (partition by order_id, event_id order by position) = 1 as is_first
    from in_order

),

-- A producer's retry counts for the order's position, for nothing else.
placed as (

    select
        *,
        if(is_first, event_type) as counted_type
    from first_heard

),

created as (

    select
        *,
        min(if(counted_type = 'ORDER_CREATED', position)) over (partition by order_id) as created_at
    from placed

),

left_created as (

    select
        *,
        min(if(counted_type = 'ORDER_PAID' and position > created_at, position))
            over (partition by order_id) as pay_at,
        min(if(counted_type = 'ORDER_CANCELLED' and position > created_at, position))
            over (partition by order_id) as cancel_at
    from created

),

paid as (

    select
        *,
        if(cancel_at is null or pay_at < cancel_at, pay_at) as paid_at
    from left_created

),

left_paid as (

    select
        *,
        min(if(counted_type = 'ORDER_SHIPPED' and position > paid_at, position))
            over (partition by order_id) as ship_at
    from paid

),

shipped as (

    select
        *,
        if(cancel_at is null or ship_at < cancel_at, ship_at) as shipped_at,
        if(ship_at is null or cancel_at < ship_at, cancel_at) as cancelled_at
    from left_paid

),

returned as (

    select
        *,
        min(if(counted_type = 'ORDER_RETURNED' and position > shipped_at, position))
            over (partition by order_id) as returned_at
    from shipped

),

judged as (

    select
        *,
        is_first and coalesce(
            position in (created_at, paid_at, shipped_at, cancelled_at, returned_at), false
        ) as is_applied,
        max(topic_epoch) over (partition by order_id) as last_epoch
    from returned

),

rejections_known as (

    select
        *,
        is_first and not is_applied as is_rejected
    from judged

),

orders as (

    select
        order_id,
        max_by(event_type, position) filter (where is_applied) as applied_type,
        max_by(event_time, position) filter (where is_applied) as status_changed_at,
        max_by(event_id, position) filter (where is_applied) as last_event_id,
        max_by(topic_epoch, position) filter (where is_applied) as applied_epoch,
        max_by(kafka_partition, position) filter (where is_applied) as kafka_partition,
        max_by(kafka_offset, position) filter (where is_applied) as kafka_offset,
        count(*) filter (where is_rejected) as rejected_events,
        max_by(event_type, position) filter (where is_rejected) as last_rejected_type,
        max_by(kafka_offset, position) filter (where is_rejected) as last_rejected_offset,
        array_agg(event_id) filter (where is_first) as seen_event_ids,
        max(topic_epoch) as topic_epoch,
        transform_values(
            multimap_agg(kafka_partition, kafka_offset) filter (where topic_epoch = last_epoch),
            (kafka_partition, offsets) -> array_max(offsets)
        ) as absorbed,
        max(ingested_at) as updated_at
    from rejections_known
    group by order_id

),

-- An object with a field given twice is no map in Trino: then the fields that are needed are taken one by one.
bodies as (

    select
        topic_epoch,
        kafka_partition,
        kafka_offset,
        entity_key,
        coalesce(
            try(cast(json_parse(body) as map(varchar, json))),
            map(
                array['user_id', 'total_amount', 'currency', 'payment_method', 'items'],
                array[
                    json_extract(body, '$$.user_id'),
                    json_extract(body, '$$.total_amount'),
                    json_extract(body, '$$.currency'),
                    json_extract(body, '$$.payment_method'),
                    json_extract(body, '$$.items')
                ]
            )
        ) as fields
    from ${events}
    where error is null
    and ${slice}

),

with_body as (

    select
        orders.*,
        coalesce(bodies.fields, map()) as fields,
        try(cast(element_at(bodies.fields, 'items') as array(json))) as item_bodies
    from bodies
    right join orders
        on bodies.entity_key = orders.order_id
        and bodies.topic_epoch = orders.applied_epoch
        and bodies.kafka_partition = orders.kafka_partition
        and bodies.kafka_offset = orders.kafka_offset

)

select
    order_id,
    text_of(element_at(fields, 'user_id')) as user_id,
    substr(applied_type, 7) as current_status,
    status_changed_at,
    try_cast(trim(text_of(element_at(fields, 'total_amount'))) as decimal(18, 2)) as total_amount,
    text_of(element_at(fields, 'currency')) as currency,
    text_of(element_at(fields, 'payment_method')) as payment_method,
    if(
        all_match(item_bodies, item -> item is null or starts_with(json_format(item), '{')),
        transform(
            transform(item_bodies, item -> coalesce(try(cast(item as map(varchar, json))), map())),
            item -> cast(
                row(
                    text_of(element_at(item, 'sku')),
                    try_cast(trim(text_of(element_at(item, 'quantity'))) as bigint),
                    try_cast(trim(text_of(element_at(item, 'unit_price'))) as decimal(18, 2)),
                    text_of(element_at(item, 'category'))
                ) as row(sku varchar, quantity bigint, unit_price decimal(18, 2), category varchar)
            )
        )
    ) as items,
    last_event_id,
    kafka_partition,
    kafka_offset,
    rejected_events,
    last_rejected_type,
    last_rejected_offset,
    false as is_deleted,
    seen_event_ids,
    topic_epoch,
    absorbed,
    updated_at
from with_body
