import { timingSafeEqual } from "node:crypto";
import { isLoopbackName } from "./address.ts";
import { hashKey, isExpired, type Scope, type StoredKey } from "./api-key.ts";
import { type Credentials, hostName } from "./credentials.ts";
import { type Outcome, type Rejected, rejected, retryable } from "./outcome.ts";
import { createRateLimit } from "./rate-limit.ts";

/** Who may go on, or the outcome that ends the request: unauthenticated, forbidden, or keys that cannot be read right now. */
export type Authentication =
  | { readonly kind: "granted"; readonly projectId: number }
  | Extract<Outcome, { kind: "rejected" | "retryable" }>;

/** Decides whether the sender of a request may do what `scope` names. Never throws. */
export type Authenticate = (credentials: Credentials, scope: Scope) => Promise<Authentication>;

export interface AuthenticatorOptions {
  /** Every key ever created, revoked ones included. */
  readonly loadKeys: () => Promise<readonly StoredKey[]>;
  /** Whether every address served is a loopback address. Only then, and while no key was ever created, everyone is let in. */
  readonly loopbackOnly: boolean;
  /** Told now and then which keys were used. Its failure is ignored: it is a convenience for people. */
  readonly markUsed?: (ids: readonly string[]) => Promise<void>;
  /** Milliseconds since 1970, for keys that expire. */
  readonly now?: () => number;
  /** Milliseconds on a clock that never goes back, for everything else: a machine whose time is set back must not keep a revoked key. */
  readonly monotonicNow?: () => number;
}

/** A revoked key stops working after at most this long. */
const KEYS_FRESH_MS = 2_000;
/** While the keys cannot be read, known ones go on working for this long. */
const KEYS_USABLE_MS = 60_000;
/** After a failed attempt to read the keys, the next one waits this long. */
const RELOAD_PAUSE_MS = 500;
const MARK_USED_EVERY_MS = 60_000;

/** The project of everything that arrives while no key exists. */
const DEFAULT_PROJECT_ID = 1;

interface KeyRing {
  readonly byHash: ReadonlyMap<string, StoredKey>;
  readonly loadedAt: number;
}

/**
 * Checks keys against a copy of the key table that is at most two seconds old, so neither good nor wrong keys cost a query each.
 * Keys are found by their SHA-256 and compared in constant time: how much of a wrong key is right cannot be measured.
 */
export function createAuthenticator(options: AuthenticatorOptions): Authenticate {
  const now = options.now ?? Date.now;
  const monotonicNow = options.monotonicNow ?? (() => performance.now());
  const currentKeys = createKeyRing(options.loadKeys, monotonicNow);
  const noteUse = createUseNotes(options.markUsed, monotonicNow);
  const withinLimit = createRateLimit(monotonicNow);

  return async function authenticate(credentials, scope) {
    const ring = await currentKeys();
    if (ring === undefined) return retryable("database", "the keys cannot be read at the moment");
    if (ring.byHash.size === 0 && options.loopbackOnly) return admitFromThisMachine(credentials.host);
    const result = checkKey(ring, credentials.key, scope, now());
    if (!("usedKey" in result)) return result;
    const { id, projectId, maxRequestsPerSecond: limit } = result.usedKey;
    noteUse(id);
    if (scope === "ingest" && limit !== null && !withinLimit(id, limit))
      return retryable("overload", `this key may send ${limit} requests a second; send larger batches, or send again later`);
    return { kind: "granted", projectId };
  };
}

function checkKey(ring: KeyRing, presented: string | undefined, scope: Scope, now: number): Rejected | { readonly usedKey: StoredKey } {
  if (presented === undefined || presented === "") {
    return rejected("unauthenticated", "a key is required: send it as Authorization: Bearer KEY or as X-Service-Key: KEY");
  }
  const digest = hashKey(presented);
  const key = ring.byHash.get(digest.toString("hex"));
  if (key !== undefined && timingSafeEqual(digest, key.hash) && key.projectDeleted === true) {
    return rejected("forbidden", "the project of this key was deleted");
  }
  if (key === undefined || !timingSafeEqual(digest, key.hash) || key.revokedAt !== null) {
    return rejected("unauthenticated", "this key is not known or was revoked");
  }
  if (isExpired(key, now)) return rejected("unauthenticated", "this key has expired");
  if (!key.scopes.includes(scope)) return rejected("forbidden", `this key lacks the scope ${scope}`);
  return { usedKey: key };
}

/** A web page that binds its own name to 127.0.0.1 (DNS rebinding) still sends that name as Host: it is refused here. */
function admitFromThisMachine(host: string | undefined): Authentication {
  if (host === undefined || isLoopbackName(hostName(host))) return { kind: "granted", projectId: DEFAULT_PROJECT_ID };
  return rejected("forbidden", "without keys only localhost, 127.0.0.1 and [::1] are accepted as Host; create a key to use another name");
}

function createKeyRing(loadKeys: AuthenticatorOptions["loadKeys"], now: () => number): () => Promise<KeyRing | undefined> {
  let ring: KeyRing | undefined;
  let loading: Promise<void> | undefined;
  let pausedUntil = 0;

  async function reload(): Promise<void> {
    const startedAt = now();
    try {
      const keys = await loadKeys();
      ring = { byHash: new Map(keys.map((key) => [key.hash.toString("hex"), key])), loadedAt: startedAt };
    } catch {
      pausedUntil = now() + RELOAD_PAUSE_MS;
    } finally {
      loading = undefined;
    }
  }

  return async () => {
    const age = ring === undefined ? Number.POSITIVE_INFINITY : now() - ring.loadedAt;
    if (age < KEYS_FRESH_MS) return ring;
    if (loading === undefined && now() >= pausedUntil) loading = reload();
    await loading;
    return ring !== undefined && now() - ring.loadedAt < KEYS_USABLE_MS ? ring : undefined;
  };
}

function createUseNotes(markUsed: AuthenticatorOptions["markUsed"], now: () => number): (id: string) => void {
  const used = new Set<string>();
  let lastMarkedAt = Number.NEGATIVE_INFINITY;
  return (id) => {
    if (markUsed === undefined) return;
    used.add(id);
    if (now() - lastMarkedAt < MARK_USED_EVERY_MS) return;
    lastMarkedAt = now();
    const ids = [...used];
    used.clear();
    markUsed(ids).catch(() => undefined);
  };
}
