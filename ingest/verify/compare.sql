-- One row: a live gold table against its recomputation, as counts, order-independent hashes and a few examples.
-- `live` is the table at its snapshot, `recomputed` the query of gold/<table>.sql, `as_text` a row as JSON text, in which
-- times are UTC and sets are sorted, so that equal rows are equal texts.
with

-- What a JSON value says as text: a string as it is, anything else as it is written; a JSON null says nothing.
function text_of(value json)
    returns varchar
    return coalesce(json_extract_scalar(value, '$$'), nullif(json_format(value), 'null'))

with

live as (

    select
        ${keys},
        row_number() over (partition by ${keys}) as copy,
        ${as_text} as as_text
    from ${live}
    where ${live_slice}

),

recomputed as (

    select
        ${keys},
        ${as_text} as as_text
    from (
        ${recomputed}
    )

),

compared as (

    select
        ${joined_key} as key,
        live.as_text as live_text,
        recomputed.as_text as recomputed_text,
        coalesce(live.copy, 1) as copy
    from live
    full join recomputed on ${on}

)

select
    count(live_text) as live_rows,
    count(recomputed_text) filter (where copy = 1) as recomputed_rows,
    count_if(live_text is null) as missing,
    count_if(recomputed_text is null) as extra,
    count_if(live_text <> recomputed_text) as differing,
    count_if(copy > 1) as doubled,
    coalesce(sum(cast(from_big_endian_64(xxhash64(to_utf8(live_text))) as decimal(38, 0))), 0) as live_hash,
    coalesce(sum(cast(from_big_endian_64(xxhash64(to_utf8(recomputed_text))) as decimal(38, 0)))
        filter (where copy = 1), 0) as recomputed_hash,
    min_by(row(key, live_text, recomputed_text, copy), key, ${examples})
        filter (where live_text is distinct from recomputed_text or copy > 1) as examples
from compared
