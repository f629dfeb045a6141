{% test never_null(model, columns) %}
{# One scan for all the columns that dbt's own not_null would scan one by one. #}
select {{ columns | join(', ') }}
from {{ model }}
where {% for column in columns %}{{ column }} is null{{ ' or ' if not loop.last }}{% endfor %}
{% endtest %}
