{#
    What breaks if this fails: an event is joined to two versions of its user or video, and
    counted twice. Judged by comparing every two periods, apart from the windows that made
    them; that no two begin at once is tested with the models.
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

overlaps as (

    select
        earlier.member,
        earlier.member_id,
        earlier.valid_to,
        later.valid_from

    from periods as earlier
    inner join periods as later
        on earlier.member = later.member
        and earlier.member_id = later.member_id
        and earlier.valid_from < later.valid_from
        and earlier.valid_to > later.valid_from

)

select * from overlaps
