{{ config(
    materialized='incremental',
    incremental_strategy='merge',
    unique_key=['event_date'],
    meta={'gone_when': 'fresh.dau_count = 0'},
) }}

with

records as (

    select
        *,
        not is_duplicate and event_type = 'purchase' as is_purchase

    from {{ ref('user_event_records') }}
    where
        rejection_reason is null
        and {{ touched_days(ref('user_event_records'), 'judged_at') }}

),

counted as (

    select
        event_date,
        count(distinct case when not is_duplicate then user_id end) as dau_count,
        count(distinct case when is_purchase then user_id end) as buyer_count,
        count_if(is_purchase) as total_purchases,
        max(case when not is_duplicate then ingested_at end) as updated_at

    from records
    group by event_date

),

days_left as (

    select * from counted
    where dau_count > 0 or {{ is_incremental() }}

)

select * from days_left
