{#
    What breaks if this fails: a change is lost or doubled between bronze and history. Changes
    that were landed after the last snapshot are not judged.
#}

with

{% set kept_as = {
    'users': ('user_changes', 'user_id'),
    'videos': ('video_changes', 'video_id'),
} %}
{% for name, (snapshot, key) in kept_as.items() %}
{{ name }}_landed as (

    select distinct
        {{ key }},
        changed_at,
        change_id

    from {{ source('dimensions', name ~ '_changes') }}
    where ingested_at <= (select max(ingested_at) from {{ ref(snapshot) }})

),

{{ name }}_kept as (

    select
        {{ key }},
        changed_at,
        change_id,
        count(*) as times

    from {{ ref(snapshot) }}
    group by {{ key }}, changed_at, change_id

),
{% endfor %}

differences as (

    {% for name, (_, key) in kept_as.items() %}
    select
        '{{ name }}' as dimension,
        coalesce(landed.change_id, kept.change_id) as change_id,
        coalesce(kept.times, 0) as times_kept

    from {{ name }}_landed as landed
    full outer join {{ name }}_kept as kept
        on landed.{{ key }} = kept.{{ key }}
        and landed.changed_at = kept.changed_at
        and landed.change_id = kept.change_id
    where landed.change_id is null or coalesce(kept.times, 0) != 1
    {{ 'union all' if not loop.last }}
    {% endfor %}

)

select * from differences
