with

landed as (

    select * from {{ source('dimensions', 'videos_changes') }}

),

numbered as (

    select
        *,
        row_number() over (
            partition by video_id, changed_at, change_id
            order by ingested_at, feed_date, feed_row
        ) as arrival_number

    from landed

),

first_arrivals as (

    select
        video_id,
        title,
        category,
        creator,
        duration_seconds,
        status,
        published_date,
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
