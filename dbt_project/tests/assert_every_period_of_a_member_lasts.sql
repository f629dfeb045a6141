{#
    What breaks if this fails: as of the one moment of an empty period, a join finds two rows.
#}

with

periods as (

    select
        cast(user_id as {{ text_type() }}) as member_id,
        valid_from,
        valid_to

    from {{ ref('dim_users') }}
    union all
    select
        video_id as member_id,
        valid_from,
        valid_to

    from {{ ref('dim_videos') }}

)

select * from periods
where valid_from >= valid_to
