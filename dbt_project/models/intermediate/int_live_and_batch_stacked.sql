{# The live golds are read first: what they count is in bronze, however fast both grow. #}

with

live as (

    select * from {{ ref('stg_shop__live_counts') }}

),

records as (

    select * from {{ ref('int_metric_records') }}

),

records_in_live as (

    select
        records.*,
        coalesce(
            records.topic_epoch < live.topic_epoch
            or (
                records.topic_epoch = live.topic_epoch
                and records.kafka_offset
                <= element_at(live.absorbed, records.kafka_partition)
            ),
            false
        ) as is_in_live

    from records
    left join live
        on records.metric = live.metric
        and records.slice = live.slice
        and records.window_start = live.window_start

),

stacked as (

    select
        metric,
        slice,
        window_start,
        cast(window_start as date) as event_date,
        live_count,
        null as verdict,
        true as is_in_live

    from live

    union all

    select
        metric,
        slice,
        window_start,
        event_date,
        0 as live_count,
        verdict,
        is_in_live

    from records_in_live

)

select * from stacked
