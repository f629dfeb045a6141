{#
    What breaks if this fails: whoever joins the members as they are now finds one twice, or
    not at all.
#}

with

{% set keys = {'dim_users': 'user_id', 'dim_videos': 'video_id'} %}
members as (

    {% for dimension, key in keys.items() %}
    select
        '{{ dimension }}' as dimension,
        cast({{ key }} as {{ text_type() }}) as member_id,
        sum(case when is_current then 1 else 0 end) as current_periods,
        max(case when is_current then valid_from end) as current_from,
        max(valid_from) as newest_from

    from {{ ref(dimension) }}
    group by {{ key }}
    {{ 'union all' if not loop.last }}
    {% endfor %}

)

select * from members
where current_periods != 1 or current_from != newest_from
