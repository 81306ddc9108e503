/** A piece of SQL and the values that it names. Text comes from `sql` templates alone, so what a user sent can only ever be a value. */
export interface Fragment {
  /** One more than there are values: value n stands between text n and text n + 1. */
  readonly texts: readonly string[];
  readonly values: readonly unknown[];
}

/** What a template may hold: another piece of SQL, or a value that becomes a parameter. Arrays and values without a column beside them need a cast. */
export type Part = Fragment | string | number | boolean | null | Date | readonly string[] | readonly number[] | Uint8Array;

const isFragment = (part: Part): part is Fragment => typeof part === "object" && part !== null && "texts" in part;

/** Builds a piece of SQL: sql`model_name = ${name}` has one parameter, sql`SELECT ${columns} FROM t` takes in another piece. */
export function sql(template: TemplateStringsArray, ...parts: readonly Part[]): Fragment {
  const texts = [template[0] ?? ""];
  const values: unknown[] = [];
  const extend = (text: string): void => {
    texts[texts.length - 1] += text;
  };
  for (const [i, part] of parts.entries()) {
    if (isFragment(part)) {
      extend(part.texts[0] ?? "");
      values.push(...part.values);
      texts.push(...part.texts.slice(1));
    } else {
      values.push(part);
      texts.push("");
    }
    extend(template[i + 1] ?? "");
  }
  return { texts, values };
}

export const EMPTY: Fragment = sql``;
export const TRUE: Fragment = sql`TRUE`;

const joined = (pieces: readonly Fragment[], separator: Fragment): Fragment =>
  pieces.reduce((all, piece, i) => (i === 0 ? piece : sql`${all}${separator}${piece}`), EMPTY);

/** `a, b, c`. */
export const list = (pieces: readonly Fragment[]): Fragment => joined(pieces, sql`, `);

/** All of them; TRUE for none. */
export const and = (pieces: readonly Fragment[]): Fragment =>
  pieces.length === 0
    ? TRUE
    : joined(
        pieces.map((piece) => sql`(${piece})`),
        sql` AND `,
      );

/** Any of them; FALSE for none. */
export const or = (pieces: readonly Fragment[]): Fragment =>
  pieces.length === 0
    ? sql`FALSE`
    : joined(
        pieces.map((piece) => sql`(${piece})`),
        sql` OR `,
      );

/** A name of a table or column of ours. Throws for anything that needs quoting, so that nobody hands in what a user sent. */
export function name(identifier: string): Fragment {
  if (!/^[a-z_][a-z0-9_]*$/.test(identifier)) throw new Error("this is no name of a table or column of ours");
  return { texts: [`"${identifier}"`], values: [] };
}

/** As the server takes it: numbered parameters. */
export function statement({ texts, values }: Fragment): { readonly text: string; readonly values: readonly unknown[] } {
  return { text: texts.reduce((text, next, i) => `${text}$${i}${next}`), values };
}
