{{ config(
    materialized='incremental',
    incremental_strategy='merge',
    unique_key=['event_date'],
) }}

with

records as (

    select
        *,
        not is_duplicate and event_type = 'purchase' as is_purchase

    from {{ ref('user_event_records') }}
    where
        rejection_reason is null
        and {{ touched_days(ref('user_event_records'), 'ingested_at') }}

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

)

select * from counted
