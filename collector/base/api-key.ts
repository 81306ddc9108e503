import { createHash, randomBytes } from "node:crypto";

/** What a key allows: sending telemetry, reading it, changing things. No scope contains another. */
export const SCOPES = ["ingest", "read", "admin"] as const;
export type Scope = (typeof SCOPES)[number];

/** A key as it is kept: its digest, never the key itself. */
export interface StoredKey {
  readonly id: string;
  readonly projectId: number;
  /** SHA-256 of the key. A key is 256 random bits, so a slow hash would protect nothing more. */
  readonly hash: Buffer;
  readonly scopes: readonly Scope[];
  readonly expiresAt: Date | null;
  readonly revokedAt: Date | null;
  /** Its project is gone, and so is its use. */
  readonly projectDeleted?: boolean;
  /** Export requests a second; null for no limit. */
  readonly maxRequestsPerSecond: number | null;
}

/** Marks our keys, so that people and secret scanners recognise one. */
const KEY_MARK = "gs_";
const KEY_BYTES = 32;
/** Characters of a key that lists show: its mark and 48 of its 256 bits. */
const PREFIX_CHARS = KEY_MARK.length + 8;

/** A new key: `gs_` and 256 random bits. It is shown once; only `hashKey` of it is stored. */
export const generateKey = (): string => KEY_MARK + randomBytes(KEY_BYTES).toString("base64url");

export const hashKey = (key: string): Buffer => createHash("sha256").update(key).digest();

/** The beginning of a key, enough to tell keys apart and not to use one. */
export const prefixOf = (key: string): string => key.slice(0, PREFIX_CHARS);

export const isExpired = (key: Pick<StoredKey, "expiresAt">, now: number): boolean =>
  key.expiresAt !== null && key.expiresAt.getTime() <= now;

/** Whether `key` can still be used at all. */
export const isUsable = (key: Pick<StoredKey, "expiresAt" | "revokedAt">, now: number): boolean =>
  key.revokedAt === null && !isExpired(key, now);
