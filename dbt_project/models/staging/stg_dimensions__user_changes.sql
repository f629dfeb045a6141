with

landed as (

    select * from {{ source('dimensions', 'users_changes') }}

),

numbered as (

    select
        *,
        row_number() over (
            partition by user_id, changed_at, change_id
            order by ingested_at, feed_date, feed_row
        ) as arrival_number

    from landed

),

first_arrivals as (

    select
        user_id,
        name,
        email,
        country,
        plan,
        status,
        signup_date,
        operation,
        changed_at,
        change_id,
        feed_date,
        feed_row,
        ingested_at

    from numbered
    where arrival_number = 1

)

select * from first_arrivals
