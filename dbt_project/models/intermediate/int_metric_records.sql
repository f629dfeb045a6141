{#
    Which live number counts which record, and what SQL makes of that record. Silver is read
    before bronze, so whatever silver has not is there to be found in bronze.
#}

with

judged as (

    select
        topic,
        topic_epoch,
        kafka_partition,
        kafka_offset,
        event_time,
        event_date,
        event_type,
        source,
        case
            when rejection_reason is not null then 'rejected'
            when is_duplicate then 'duplicate'
            else 'accepted'
        end as verdict

    from {{ ref('user_event_records') }}
    where error is null

),

fences as (

    select
        topic_epoch,
        kafka_partition,
        max(kafka_offset) as kafka_offset,
        max(max(ingested_at)) over () - interval '1' hour as arrived_from

    from {{ ref('user_event_records') }}
    group by topic_epoch, kafka_partition

),

bronze as (

    select * from {{ ref('stg_shop__events') }}
    where
        error is null
        and ingested_at >= (
            select coalesce(max(arrived_from), timestamp '1970-01-01 00:00:00 UTC')
            from fences
        )

),

unseen as (

    select
        bronze.topic,
        bronze.topic_epoch,
        bronze.kafka_partition,
        bronze.kafka_offset,
        bronze.event_time,
        bronze.event_date,
        bronze.event_type,
        bronze.source,
        'unseen' as verdict

    from bronze
    left join fences
        on bronze.topic_epoch = fences.topic_epoch
        and bronze.kafka_partition = fences.kafka_partition
    where bronze.kafka_offset > coalesce(fences.kafka_offset, -1)

),

stacked as (

    select * from judged
    union all
    select * from unseen

),

readable as (

    select
        *,
        case
            when source in ('web', 'mobile') then source else 'unknown'
        end as login_source

    from stacked

),

counted as (

    select
        metrics.metric,
        case metrics.metric
            when 'events_per_minute' then readable.event_type
            when 'purchases_per_minute' then 'all'
            when 'logins_per_source' then readable.login_source
        end as slice,
        date_trunc('minute', readable.event_time) as window_start,
        readable.event_date,
        readable.verdict,
        readable.topic,
        readable.topic_epoch,
        readable.kafka_partition,
        readable.kafka_offset

    from readable
    inner join (
        values
        ('events_per_minute', null),
        ('logins_per_source', 'login'),
        ('purchases_per_minute', 'purchase')
    ) as metrics (metric, event_type)
        on readable.event_type = coalesce(metrics.event_type, readable.event_type)

)

select * from counted
