{{ config(
    materialized='incremental',
    incremental_strategy='merge',
    unique_key=['order_id', 'line_number'],
    properties={
        'format': "'PARQUET'",
        'partitioning': "ARRAY['day(ingested_at)']",
        'sorted_by': "ARRAY['order_id']",
    },
    meta={'gone_when': 'fresh.line_number > fresh.line_count'},
) }}

{#
    A merge never deletes by itself, so it is shown every line number the order ever had,
    and those past its present line count go. A table built whole has none of them.
    Windows and no max_by: Trino's partial max_by of arrays takes hundreds of megabytes.
#}

with

events as (

    select * from {{ ref('order_events') }}

    {% if is_incremental() %}
    where
        order_id in (select order_id from {{ new_arrivals(ref('order_events')) }})
    {% endif %}

),

events_ranked as (

    select
        *,
        row_number() over (
            partition by order_id order by is_applied desc, event_number desc
        ) as recency,
        first_value(items) over (
            partition by order_id order by cardinality(items) desc nulls last
        ) as longest_items

    from events

),

orders as (

    select
        *,
        case when is_applied then items end as present_items

    from events_ranked
    where recency = 1

),

lines as (

    select
        order_id,
        line_number,
        coalesce(cardinality(present_items), 0) as line_count,
        element_at(present_items, line_number).sku as sku,
        element_at(present_items, line_number).category as category,
        element_at(present_items, line_number).quantity as quantity,
        element_at(present_items, line_number).unit_price as unit_price,
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
