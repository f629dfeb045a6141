{{ config(
    materialized='incremental',
    incremental_strategy='merge',
    unique_key=['event_date', 'topic_epoch', 'kafka_partition', 'kafka_offset'],
    properties={'format': "'PARQUET'", 'partitioning': "ARRAY['event_date']"},
) }}

<% if event_id %>
{#
    Repeats stay, flagged. An event is looked for among those of its own day only, or each
    run would read the ids of all history.
#}

<% endif %>
{% set arrivals = new_arrivals(ref('<< staging >>')) %}
{% set columns %}topic, topic_epoch, kafka_partition, kafka_offset, kafka_timestamp,
        ingested_at, event_id, event_type, event_time, event_date,
        entity_key<% for field in fields %>,
        << field.column >><% endfor %>{% endset %}

with

events as (

    select {{ columns }}
    from {{ arrivals }}
    where error is null
<% if event_id %>

    {% if is_incremental() %}
    union all
    select {{ columns }}
    from {{ this }}
    where
        event_date in (select event_date from {{ arrivals }} where error is null)
        and event_id in (select event_id from {{ arrivals }} where error is null)
        and not {{ in_backfill('event_time') }}
    {% endif %}
<% endif %>

),

repeats_flagged as (

    select
        {{ columns }},
<% if event_id %>
        row_number() over (
            partition by event_date, event_id
            order by topic_epoch, kafka_timestamp, kafka_partition, kafka_offset
        ) > 1 as is_duplicate
<% else %>
        false as is_duplicate
<% endif %>

    from events

)

select * from repeats_flagged
