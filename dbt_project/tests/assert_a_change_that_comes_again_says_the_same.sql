{#
    What breaks if this fails: history depends on which of the two came first, so rebuilt
    from feeds that are landed in another order it is another.
#}

with

{% set dimensions = {
    'user': ['name', 'email', 'country', 'plan', 'status', 'signup_date'],
    'video': [
        'title', 'category', 'creator', 'duration_seconds', 'status', 'published_date'
    ],
} %}
{% for member, attributes in dimensions.items() %}
{{ member }}_versions as (

    select distinct
        {{ member }}_id,
        changed_at,
        change_id,
        operation,
        {{ attributes | join(', ') }}

    from {{ source('dimensions', member ~ 's_changes') }}

),
{% endfor %}

contradictions as (

    {% for member in dimensions %}
    select '{{ member }}' as member, change_id, count(*) as versions
    from {{ member }}_versions
    group by {{ member }}_id, changed_at, change_id
    having count(*) > 1
    {{ 'union all' if not loop.last }}
    {% endfor %}

)

select * from contradictions
