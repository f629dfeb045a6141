{# What a record that could not be read says in parts is taken for nothing. #}
with

records as (

    select
        *,
        case when error is null then body end as readable_body

    from {{ source('bronze', '<< table >>') }}

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
        cast(partition_time as date) as event_date,
        entity_key,
<% for field in fields %>
        << field.sql >>,
<% endfor %>
        body

    from records

)

select * from typed
