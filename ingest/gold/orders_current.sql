-- One row per order: its latest legal state, folded from its events in the order of their offsets.
-- {events}: the readable bronze rows of a range, with `event_order`; {state}: the table's rows as they stand.
with

incoming as (

    select
        entity_key as order_id,
        event_order,
        struct(
            topic_epoch, kafka_partition, kafka_offset,
            event_id, event_type, event_time, ingested_at, body
        ) as event
    from {events}

),

-- A window sorts rows outside the heap; a group's collect_list keeps every one of them as objects until the end.
in_order as (

    select
        order_id,
        row_number() over (partition by order_id order by event_order) as place,
        collect_list(event) over (
            partition by order_id order by event_order
            rows between unbounded preceding and unbounded following
        ) as events
    from incoming

),

arrived as (

    select
        order_id,
        events
    from in_order
    where place = 1

),

-- Only what lies above the row's own position counts, so a retried range changes nothing.
unabsorbed as (

    select
        arrived.order_id,
        state.order_id is not null as is_known,
        struct(state.*) as row,
        if(
            state.order_id is null,
            arrived.events,
            filter(
                arrived.events,
                event -> event.topic_epoch > coalesce(state.topic_epoch, 0)
                or (
                    event.topic_epoch = state.topic_epoch
                    and event.kafka_offset > coalesce(state.absorbed[event.kafka_partition], -1)
                )
            )
        ) as events
    from arrived
    left join {state} as state
        on arrived.order_id = state.order_id

),

folded as (

    select
        order_id,
        row,
        events,
        aggregate(
            events,
            named_struct(
                'status', row.current_status,
                'seen_event_ids', coalesce(row.seen_event_ids, cast(array() as array<string>)),
                'rejected_events', coalesce(row.rejected_events, 0L),
                -- no event: a null of the events' type
                'applied', get(events, -1),
                'rejected', get(events, -1)
            ),
            (so_far, event) -> case
                -- a producer's retry: the same event again is no event
                when array_contains(so_far.seen_event_ids, event.event_id) then so_far
                when concat(coalesce(so_far.status, ''), '>', event.event_type) in (
                    '>ORDER_CREATED',
                    'CREATED>ORDER_PAID',
                    'PAID>ORDER_SHIPPED',
                    'SHIPPED>ORDER_RETURNED',
                    'CREATED>ORDER_CANCELLED',
                    'PAID>ORDER_CANCELLED'
                ) then named_struct(
                    'status', substring(event.event_type, 7),
                    'seen_event_ids', array_append(so_far.seen_event_ids, event.event_id),
                    'rejected_events', so_far.rejected_events,
                    'applied', event,
                    'rejected', so_far.rejected
                )
                else named_struct(
                    'status', so_far.status,
                    'seen_event_ids', array_append(so_far.seen_event_ids, event.event_id),
                    'rejected_events', so_far.rejected_events + 1L,
                    'applied', so_far.applied,
                    'rejected', event
                )
            end
        ) as fold
    from unabsorbed
    where size(events) > 0

),

-- The body is read once a row, of the last event applied.
typed as (

    select
        *,
        fold.applied is not null as is_changed,
        from_json(
            fold.applied.body,
            'user_id string, total_amount string, currency string, payment_method string,
             items array<struct<sku: string, quantity: string, unit_price: string, category: string>>'
        ) as body
    from folded

)

select
    order_id,
    if(is_changed, body.user_id, row.user_id) as user_id,
    fold.status as current_status,
    if(is_changed, fold.applied.event_time, row.status_changed_at) as status_changed_at,
    if(is_changed, try_cast(body.total_amount as decimal(18, 2)), row.total_amount) as total_amount,
    if(is_changed, body.currency, row.currency) as currency,
    if(is_changed, body.payment_method, row.payment_method) as payment_method,
    if(
        is_changed,
        transform(body.items, item -> named_struct(
            'sku', item.sku,
            'quantity', try_cast(item.quantity as bigint),
            'unit_price', try_cast(item.unit_price as decimal(18, 2)),
            'category', item.category
        )),
        row.items
    ) as items,
    if(is_changed, fold.applied.event_id, row.last_event_id) as last_event_id,
    if(is_changed, fold.applied.kafka_partition, row.kafka_partition) as kafka_partition,
    if(is_changed, fold.applied.kafka_offset, row.kafka_offset) as kafka_offset,
    fold.rejected_events,
    coalesce(fold.rejected.event_type, row.last_rejected_type) as last_rejected_type,
    coalesce(fold.rejected.kafka_offset, row.last_rejected_offset) as last_rejected_offset,
    false as is_deleted,
    fold.seen_event_ids,
    element_at(events, -1).topic_epoch as topic_epoch,
    map_concat(
        if(row.topic_epoch = element_at(events, -1).topic_epoch, row.absorbed, cast(map() as map<int, bigint>)),
        map_from_entries(array_sort(transform(
            filter(events, event -> event.topic_epoch = element_at(events, -1).topic_epoch),
            event -> struct(event.kafka_partition, event.kafka_offset)
        )))
    ) as absorbed,
    greatest(row.updated_at, array_max(transform(events, event -> event.ingested_at))) as updated_at
from typed
