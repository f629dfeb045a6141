{{ config(
    materialized='incremental',
    incremental_strategy='merge',
    unique_key=['order_id', 'line_number'],
    properties={'format': "'PARQUET'", 'sorted_by': "ARRAY['order_id']"},
    meta={'gone_when': 'fresh.line_number > fresh.line_count'},
) }}

{#
    A merge never deletes by itself, so it is shown every line number the order ever had,
    and those past its present line count go. A table built whole has none of them.
#}

with

events as (

    select * from {{ ref('order_events') }}

    {% if is_incremental() %}
    where
        order_id in (select order_id from {{ new_arrivals(ref('order_events')) }})
    {% endif %}

),

orders as (

    select
        order_id,
        max_by(items, cardinality(items)) as longest_items,
        max_by(items, event_number) filter (where is_applied) as items,
        max_by(currency, event_number) filter (where is_applied) as currency,
        max_by(topic, event_number) filter (where is_applied) as topic,
        max_by(topic_epoch, event_number) filter (where is_applied) as topic_epoch,
        max_by(kafka_partition, event_number) filter (where is_applied) as kafka_partition,
        max_by(kafka_offset, event_number) filter (where is_applied) as kafka_offset,
        max_by(ingested_at, event_number) filter (where is_applied) as ingested_at

    from events
    group by order_id

),

lines as (

    select
        order_id,
        line_number,
        coalesce(cardinality(items), 0) as line_count,
        element_at(items, line_number).sku as sku,
        element_at(items, line_number).category as category,
        element_at(items, line_number).quantity as quantity,
        element_at(items, line_number).unit_price as unit_price,
        currency,
        topic,
        topic_epoch,
        kafka_partition,
        kafka_offset,
        ingested_at

    from orders
    {{ numbered_lines('longest_items', 'line_number') }}

),

lines_kept as (

    select * from lines
    where line_number <= line_count or {{ is_incremental() }}

)

select * from lines_kept
