{{ config(alias='daily_active_users', unique_key=['event_date']) }}

with

days as (

    select * from {{ ref('daily_active_users') }}

),

served as (

    select
        event_date,
        dau_count,
        updated_at

    from days

)

select * from served
