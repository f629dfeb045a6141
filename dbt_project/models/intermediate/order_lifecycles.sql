{{ config(
    materialized='incremental',
    incremental_strategy='merge',
    unique_key=['order_id'],
    properties={
        'format': "'PARQUET'",
        'partitioning': "ARRAY['day(updated_at)']",
        'sorted_by': "ARRAY['order_id']",
    },
) }}

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
        max_by(status_after, event_number) as current_status,
        max_by(user_id, event_number) filter (where is_applied) as user_id,
        max_by(total_amount, event_number) filter (where is_applied) as total_amount,
        max_by(currency, event_number) filter (where is_applied) as currency,
        max_by(payment_method, event_number) filter (where is_applied) as payment_method,
        {% for status in ['created', 'paid', 'shipped', 'cancelled', 'returned'] %}
        min(case
            when is_applied and event_type = 'ORDER_{{ status | upper }}'
                then event_time
        end) as {{ status }}_at,
        {% endfor %}
        count(*) as event_count,
        count_if(is_duplicate) as duplicate_events,
        count_if(not is_applied and not is_duplicate) as rejected_events,
        max_by(topic, event_number) as topic,
        max_by(topic_epoch, event_number) as topic_epoch,
        max_by(kafka_partition, event_number) as kafka_partition,
        max_by(kafka_offset, event_number) as kafka_offset,
        max(ingested_at) as updated_at

    from events
    group by order_id

)

select * from orders
