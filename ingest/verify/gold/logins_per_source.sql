-- One row per minute of event time and source of logins, as it must stand once the events up to a fence are absorbed.
-- `events` are the bronze rows to count. A row takes from all keys, so there is no slice of it: partitions are summed up
-- first, which leaves few rows.
with

readable as (

    select
        date_trunc('minute', event_time) as window_start,
        case json_value(body, 'lax $$.source' null on error)
            when 'web' then 'web'
            when 'mobile' then 'mobile'
            else 'unknown'
        end as source,
        topic_epoch,
        kafka_partition,
        kafka_offset,
        ingested_at
    from ${events}
    where error is null
    and event_type = 'login'

),

by_partition as (

    select
        window_start,
        source,
        topic_epoch,
        kafka_partition,
        count(*) as records,
        max(kafka_offset) as last_offset,
        max(ingested_at) as last_ingested_at,
        max(max(topic_epoch)) over (partition by window_start, source) as last_epoch
    from readable
    group by window_start, source, topic_epoch, kafka_partition

)

select
    window_start,
    source,
    cast(sum(records) as bigint) as login_count,
    last_epoch as topic_epoch,
    map_agg(kafka_partition, last_offset) filter (where topic_epoch = last_epoch) as absorbed,
    max(last_ingested_at) as updated_at
from by_partition
group by window_start, source, last_epoch
