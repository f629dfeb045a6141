with

days as (

    select * from {{ ref('int_source_days_counted') }}

),

counted as (

    select
        event_date,
        source,
        event_count,
        updated_at

    from days

)

select * from counted
