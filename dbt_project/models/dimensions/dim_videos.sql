{#
    Titles are corrections: the newest holds for all time. A period is opened by whatever else
    differs from the period before, so a change that changes nothing opens none.
    The windows are text: Spark can't read a view that names them by a window clause.
#}

{% set newest_first = 'partition by video_id order by changed_at desc, change_id desc' %}
{% set history = 'partition by video_id order by changed_at' %}

with

changes as (

    select * from {{ ref('video_changes') }}

),

corrected as (

    select
        video_id,
        first_value(title) over ({{ newest_first }}) as title,
        category,
        creator,
        first_value(duration_seconds) over ({{ newest_first }}) as duration_seconds,
        status,
        first_value(published_date) over ({{ newest_first }}) as published_date,
        operation = 'delete' as is_deleted,
        changed_at,
        change_id,
        max(ingested_at) over (partition by video_id) as updated_at,
        row_number() over (
            partition by video_id, changed_at order by change_id desc
        ) as place_in_moment

    from changes

),

compared as (

    select
        *,
        (
            lag(is_deleted) over ({{ history }}) is distinct from is_deleted
            or lag(category) over ({{ history }}) is distinct from category
            or lag(creator) over ({{ history }}) is distinct from creator
            or lag(status) over ({{ history }}) is distinct from status
        ) as opens_period

    from corrected
    where place_in_moment = 1

),

periods as (

    select
        video_id,
        title,
        category,
        creator,
        duration_seconds,
        status,
        published_date,
        is_deleted,
        lead(changed_at) over ({{ history }}) is null as is_current,
        changed_at as valid_from,
        coalesce(
            lead(changed_at) over ({{ history }}), timestamp '9999-12-31 00:00:00 UTC'
        ) as valid_to,
        change_id,
        updated_at

    from compared
    where opens_period

)

select * from periods
