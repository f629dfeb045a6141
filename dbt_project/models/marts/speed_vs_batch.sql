with

stacked as (

    select * from {{ ref('int_live_and_batch_stacked') }}

),

counted as (

    select
        metric,
        slice,
        event_date,
        window_start,
        sum(live_count) as live_count,
        count_if(verdict = 'accepted') as batch_count,
        count_if(verdict = 'duplicate' and is_in_live) as duplicates,
        count_if(verdict = 'rejected' and is_in_live) as rejected,
        count_if(verdict = 'unseen' and is_in_live) as not_yet_in_silver,
        -count_if(verdict = 'accepted' and not is_in_live) as not_yet_in_live

    from stacked
    group by metric, slice, event_date, window_start

),

compared as (

    select
        metric,
        slice,
        event_date,
        window_start,
        live_count,
        batch_count,
        live_count - batch_count as difference,
        duplicates,
        rejected,
        not_yet_in_silver,
        not_yet_in_live

    from counted
    where live_count > 0 or batch_count > 0

)

select * from compared
