{# Readers of PostgreSQL meet a table only whole: its rows are made beside it and merged into it by one statement. #}
{% materialization served, adapter='trino' %}
    {%- set whole = should_full_refresh() or not config.get('meta', {}).get('changes_only')
        or load_cached_relation(this) is none -%}
    {%- set stages, hour = this.schema ~ '_stage_', '%Y%m%d%H' -%}
    {%- set stage = this.incorporate(path={
        'schema': stages ~ run_started_at.strftime(hour), 'identifier': this.identifier ~ '_' ~ invocation_id[:8]
    }) -%}
    {%- set hour_before = run_started_at - modules.datetime.timedelta(hours=1) -%}
    {% do run_in_postgres(stage_opened(stage.schema, stages, stages ~ hour_before.strftime(hour))) %}
    {% call statement('main') %}
        create table {{ stage }} as
        select {{ model.columns | join(', ') }} from ({{ sql }}) as fresh
        {% if not whole %}
        where updated_at >= (
            select coalesce(max(updated_at) - interval '10' minute, timestamp '1970-01-01 UTC') from {{ this }}
        )
        {% endif %}
    {% endcall %}
    {% do run_in_postgres(stage_published(stage, whole)) %}
    {{ return({'relations': [this.incorporate(type='table')]}) }}
{% endmaterialization %}
