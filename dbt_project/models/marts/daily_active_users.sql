with

days as (

    select * from {{ ref('int_user_days_counted') }}

),

counted as (

    select
        event_date,
        dau_count,
        updated_at

    from days

)

select * from counted
