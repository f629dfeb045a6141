{{ config(
    materialized='incremental',
    incremental_strategy='merge',
    unique_key=['order_id', 'topic_epoch', 'kafka_partition', 'kafka_offset'],
    properties={
        'format': "'PARQUET'",
        'partitioning': "ARRAY['day(ingested_at)']",
        'sorted_by': "ARRAY['order_id']",
    },
) }}

{#
    A late event can change what every other event of its order did, so an order with new
    arrivals is judged again whole. The lifecycle is a chain: each step is the first event
    of its type after the step before, which windows can say without a fold.
#}

{% set arrivals = new_arrivals(ref('stg_orders__events')) %}
{% set columns %}topic, topic_epoch, kafka_partition, kafka_offset, kafka_timestamp,
        ingested_at, order_id, event_id, event_type, event_time,
        user_id, total_amount, currency, payment_method, items{% endset %}

with

events as (

    select {{ columns }}
    from {{ arrivals }}
    where error is null

    {% if is_incremental() %}
    union all
    select {{ columns }}
    from {{ this }}
    where
        order_id in (select order_id from {{ arrivals }} where error is null)
        and not {{ in_backfill('event_time') }}
    {% endif %}

),

partitions_compared as (

    select
        *,
        min(kafka_partition) over (partition by order_id, topic_epoch)
        = max(kafka_partition) over (partition by order_id, topic_epoch)
            as is_in_one_partition

    from events

),

events_numbered as (

    select
        *,
        row_number() over (
            partition by order_id
            order by
                topic_epoch,
                case when not is_in_one_partition then kafka_timestamp end,
                kafka_partition,
                kafka_offset
        ) as event_number

    from partitions_compared

),

repeats_flagged as (

    select
        *,
        row_number() over (
            partition by order_id, event_id
            order by event_number
        ) > 1 as is_duplicate

    from events_numbered

),

types_counted as (

    select
        *,
        case when not is_duplicate then event_type end as counted_type

    from repeats_flagged

),

created as (

    select
        *,
        min(case when counted_type = 'ORDER_CREATED' then event_number end)
            over (partition by order_id) as created_number

    from types_counted

),

paid_or_cancelled as (

    select
        *,
        min(case
            when counted_type = 'ORDER_PAID' and event_number > created_number
                then event_number
        end) over (partition by order_id) as first_paid_number,
        min(case
            when counted_type = 'ORDER_CANCELLED' and event_number > created_number
                then event_number
        end) over (partition by order_id) as first_cancelled_number

    from created

),

paid as (

    select
        *,
        case
            when first_cancelled_number < first_paid_number then null
            else first_paid_number
        end as paid_number

    from paid_or_cancelled

),

shipped_at_first as (

    select
        *,
        min(case
            when counted_type = 'ORDER_SHIPPED' and event_number > paid_number
                then event_number
        end) over (partition by order_id) as first_shipped_number

    from paid

),

shipped_or_cancelled as (

    select
        *,
        case
            when first_cancelled_number < first_shipped_number then null
            else first_shipped_number
        end as shipped_number,
        case
            when first_shipped_number < first_cancelled_number then null
            else first_cancelled_number
        end as cancelled_number

    from shipped_at_first

),

returned as (

    select
        *,
        min(case
            when counted_type = 'ORDER_RETURNED' and event_number > shipped_number
                then event_number
        end) over (partition by order_id) as returned_number

    from shipped_or_cancelled

),

judged as (

    select
        {{ columns }},
        event_number,
        is_duplicate,
        coalesce(event_number = created_number, false)
        or coalesce(event_number = paid_number, false)
        or coalesce(event_number = shipped_number, false)
        or coalesce(event_number = cancelled_number, false)
        or coalesce(event_number = returned_number, false) as is_applied,
        case
            when event_number >= returned_number then 'RETURNED'
            when event_number >= cancelled_number then 'CANCELLED'
            when event_number >= shipped_number then 'SHIPPED'
            when event_number >= paid_number then 'PAID'
            when event_number >= created_number then 'CREATED'
        end as status_after

    from returned

)

select * from judged
