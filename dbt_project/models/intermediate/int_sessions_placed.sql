with

sessions as (

    select * from {{ ref('sessions') }}

),

users as (

    select * from {{ ref('dim_users') }}

),

sessions_placed as (

    select
        sessions.*,
        coalesce(users.country, 'unknown') as country,
        greatest(
            sessions.updated_at, coalesce(users.updated_at, sessions.updated_at)
        ) as known_at,
        cast(date_trunc('week', members.signup_date) as date) as cohort_week,
        cast(date_trunc('week', sessions.session_date) as date) as active_week

    from sessions
    left join users
        on sessions.user_id = users.user_id
        and sessions.started_at >= users.valid_from
        and sessions.started_at < users.valid_to
    left join users as members
        on sessions.user_id = members.user_id
        and members.is_current

)

select * from sessions_placed
