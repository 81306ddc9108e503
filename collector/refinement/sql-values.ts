import type { Fragment, TransactionSql } from "postgres";
import { shortIdentifier, toJsonb } from "../rows/values.ts";

type Tx = TransactionSql;

/** As jsonb; what is unknown is NULL. */
export const json = (tx: Tx, value: unknown) =>
  value === undefined || value === null ? tx`NULL::jsonb` : tx`${toJsonb(JSON.stringify(value))}::text::jsonb`;

/** Text as PostgreSQL takes it: no NUL, no lone surrogates. */
export const cleanText = (text: string): string => text.replaceAll("\u0000", "\uFFFD").toWellFormed();

/** Text of a column that an index covers, or that people give in a few words. */
export const shortText = (value: unknown): string | null =>
  typeof value === "string" && value !== "" ? shortIdentifier(cleanText(value)) : null;

/** `a, b, c` of fragments. */
export const listOf = (tx: Tx, fragments: readonly Fragment[]): Fragment => fragments.reduce((all, each) => tx`${all}, ${each}`);
