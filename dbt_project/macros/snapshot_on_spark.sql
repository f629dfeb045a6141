{# In place of dbt-spark's own, whose view needs a schema it isn't given, and whose parts of a key become columns. #}
{% macro spark_build_snapshot_staging_table(strategy, sql, target_relation) -%}
    {%- set staging = api.Relation.create(identifier=target_relation.identifier ~ '__dbt_tmp', type='view') -%}
    {% call statement('build_snapshot_staging_relation') %}
        create or replace temporary view {{ staging }} as
        select * except ({% for _ in strategy.unique_key %}dbt_unique_key_{{ loop.index }}{{ ', ' if not loop.last }}{% endfor %})
        from ({{ snapshot_staging_table(strategy, sql, target_relation) }})
    {% endcall %}
    {{ return(staging) }}
{%- endmacro %}
