{#
    What breaks if this fails: an event between two periods finds no user or video, though
    there was one. Judged by looking for the period that begins where another ends.
#}

with

periods as (

    select
        'user' as member,
        cast(user_id as {{ text_type() }}) as member_id,
        valid_from,
        valid_to

    from {{ ref('dim_users') }}
    union all
    select
        'video' as member,
        video_id as member_id,
        valid_from,
        valid_to

    from {{ ref('dim_videos') }}

),

ends_without_a_next as (

    select ended.*

    from periods as ended
    left join periods as next_period
        on ended.member = next_period.member
        and ended.member_id = next_period.member_id
        and ended.valid_to = next_period.valid_from
    where
        next_period.member is null
        and ended.valid_to < timestamp '9999-12-31 00:00:00 UTC'

)

select * from ends_without_a_next
