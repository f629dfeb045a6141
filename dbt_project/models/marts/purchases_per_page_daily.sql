with

days as (

    select * from {{ ref('int_page_days_counted') }}

),

counted as (

    select
        event_date,
        page,
        purchase_count,
        updated_at

    from days

)

select * from counted
