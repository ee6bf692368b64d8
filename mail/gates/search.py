"""What a search finds in the environment that the transaction stands in."""

from environments.gates import Gate

MOST_MATCHES = 5000  # of which the newest are ranked; what is more common than that is looked for from the newest on
NEWEST = 20_000  # messages that are looked through then
HERE = "NULLIF(current_setting('agentpost.environment_id', true), '')::uuid"

# probe    through the index alone, in no order: `coalesce` keeps the planner from starting anywhere else
# walked   what is common: the newest messages, one by one
# given    where only some messages come into question
# OFFSET 0 keeps the planner from starting at the environment, or at the words, where it is told to start at ids
SEARCH = Gate(
    name="search_messages",
    arguments="wanted tsquery, ranking tsquery, oldest uuid, newest uuid, among uuid[], most integer",
    returns="TABLE (id uuid, rank real)",
    body=f"""
    WITH probe AS MATERIALIZED (
         SELECT e.message_id
           FROM mail_searchentry e
          WHERE among IS NULL
            AND e.document @@ wanted
            AND coalesce(e.environment_id = {HERE}, false)
            AND coalesce(e.message_id BETWEEN oldest AND newest, false)
          LIMIT {MOST_MATCHES}),
    walked AS MATERIALIZED (
         SELECT latest.message_id
           FROM (SELECT e.message_id, e.document
                   FROM mail_searchentry e
                  WHERE e.environment_id = {HERE}
                    AND e.message_id BETWEEN oldest AND newest
                  ORDER BY e.message_id DESC
                  LIMIT {NEWEST}) latest
          WHERE (SELECT count(*) FROM probe) = {MOST_MATCHES}
            AND latest.document @@ wanted
          LIMIT least(most, {MOST_MATCHES})),
    given AS MATERIALIZED (
         SELECT one.message_id
           FROM unnest(among) named
          CROSS JOIN LATERAL (
                SELECT e.message_id, e.document
                  FROM mail_searchentry e
                 WHERE e.environment_id = {HERE} AND e.message_id = named
                OFFSET 0) one
          WHERE one.message_id BETWEEN oldest AND newest
            AND one.document @@ wanted),
    found AS MATERIALIZED (
         SELECT either.message_id
           FROM (TABLE probe UNION TABLE walked UNION TABLE given) either
          ORDER BY either.message_id DESC
          LIMIT least(most, {MOST_MATCHES}))
    SELECT one.message_id, ts_rank('{{0.1, 0.2, 0.5, 1.0}}', one.document, ranking, 1)
      FROM found
     CROSS JOIN LATERAL (
           SELECT e.message_id, e.document
             FROM mail_searchentry e
            WHERE e.environment_id = {HERE} AND e.message_id = found.message_id
           OFFSET 0) one
    """,  # noqa: S608 - all of it is ours
    reads={"mail.SearchEntry": ["environment_id", "message_id", "document"]},
    settings={"enable_seqscan": "off"},
)
