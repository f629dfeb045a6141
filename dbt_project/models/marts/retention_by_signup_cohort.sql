with

users as (

    select
        user_id,
        cast(date_trunc('week', signup_date) as date) as cohort_week,
        updated_at

    from {{ ref('dim_users') }}
    where is_current and signup_date is not null

),

sessions as (

    select * from {{ ref('int_sessions_placed') }}

),

weeks as (

    select distinct active_week from sessions

),

cohorts as (

    select
        cohort_week,
        count(*) as cohort_users,
        max(updated_at) as updated_at

    from users
    group by cohort_week

),

activity as (

    select
        cohort_week,
        active_week,
        count(distinct user_id) as active_users,
        max(updated_at) as updated_at

    from sessions
    group by cohort_week, active_week

),

retention as (

    select
        cohorts.cohort_week,
        cast(floor({{ seconds_between(
            'cast(cohorts.cohort_week as timestamp)',
            'cast(weeks.active_week as timestamp)'
        ) }} / 604800) as bigint) as week_number,
        weeks.active_week,
        cohorts.cohort_users,
        coalesce(activity.active_users, 0) as active_users,
        cast(
            cast(coalesce(activity.active_users, 0) as decimal(18, 4))
            / cohorts.cohort_users as decimal(5, 4)
        ) as retention_rate,
        greatest(
            cohorts.updated_at, coalesce(activity.updated_at, cohorts.updated_at)
        ) as updated_at

    from cohorts
    inner join weeks on cohorts.cohort_week <= weeks.active_week
    left join activity
        on cohorts.cohort_week = activity.cohort_week
        and weeks.active_week = activity.active_week

)

select * from retention
