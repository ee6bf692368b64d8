import type { paths } from "./types.js";

type Verb = "get" | "post" | "put" | "patch" | "delete";
type Prefix = "/api/v1";

/** An operation of the API, as in `"GET /inboxes/{id}"`; one that the server does not have does not compile. */
export type Route = {
  [P in keyof paths]: P extends `${Prefix}${infer Rest}`
    ? { [V in Verb]: paths[P][V] extends object ? `${Uppercase<V>} ${Rest}` : never }[Verb]
    : never;
}[keyof paths];

type Operation<R extends Route> = R extends `${infer V} ${infer Rest}`
  ? `${Prefix}${Rest}` extends infer P extends keyof paths
    ? Lowercase<V> extends infer L extends Verb
      ? paths[P][L]
      : never
    : never
  : never;

/** What may stand in the query of an operation. */
export type Query<R extends Route> =
  Operation<R> extends { parameters: { query?: infer Q } } ? NonNullable<Q> : Record<string, never>;

/** The JSON that an operation takes; the environment may be named in it, too. */
export type Body<R extends Route> =
  Operation<R> extends { requestBody?: infer B }
    ? NonNullable<B> extends { content: { "application/json": infer Content } }
      ? Content & (Query<R> extends { environment_id?: string } ? { environment_id?: string } : unknown)
      : never
    : never;

/** The JSON that an operation answers. */
export type Answer<R extends Route> =
  Operation<R> extends { responses: infer Responses }
    ? { [S in keyof Responses]: ContentOf<Responses[S]> }[keyof Responses]
    : never;

type ContentOf<Response> = Response extends { content: { "application/json": infer Content } } ? Content : never;

/** What one page of a list holds. */
export type Item<R extends Route> = Answer<R> extends { data: (infer T)[] } ? T : never;
