{#
    What breaks if this fails: a live number counts what bronze has not, or misses what it
    says it absorbed, or silver judged a record otherwise than it counted it; and the board
    would explain the difference away.
#}

select * from {{ ref('speed_vs_batch') }}
where difference <> duplicates + rejected + not_yet_in_silver + not_yet_in_live
