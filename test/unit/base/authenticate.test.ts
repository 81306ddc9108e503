import { describe, expect, it } from "vitest";
import { hashKey, type StoredKey } from "../../../collector/base/api-key.ts";
import { createAuthenticator } from "../../../collector/base/authenticate.ts";

const stored = (key: string, change: Partial<StoredKey> = {}): StoredKey => ({
  id: key,
  projectId: 1,
  hash: hashKey(key),
  scopes: ["ingest"],
  expiresAt: null,
  revokedAt: null,
  maxRequestsPerSecond: null,
  ...change,
});

describe("while no key was ever made", () => {
  const asking = (loopbackOnly: boolean) => createAuthenticator({ loadKeys: async () => [], loopbackOnly });
  const local = { key: undefined, host: "localhost:4318" };

  it.each(["ingest", "read", "admin"] as const)("AUT-01 nobody gets in for %s where others reach an address", async (scope) => {
    const authenticate = asking(false);
    expect(await authenticate(local, scope)).toMatchObject({ kind: "rejected", reason: "unauthenticated" });
    expect(await authenticate({ ...local, key: "invented" }, scope)).toMatchObject({ kind: "rejected", reason: "unauthenticated" });
  });

  it("AUT-01 everybody on this machine gets in where all addresses are loopback ones, and a foreign name does not", async () => {
    const authenticate = asking(true);
    expect(await authenticate(local, "ingest")).toEqual({ kind: "granted", projectId: 1 });
    expect(await authenticate({ key: undefined, host: "evil.example" }, "ingest")).toMatchObject({ kind: "rejected", reason: "forbidden" });
  });
});

/** An authenticator over keys that a test may change, on clocks that it may set. */
function rig(...keys: StoredKey[]) {
  const clock = { wall: Date.UTC(2026, 5, 1), monotonic: 0 };
  const ring = { keys };
  const authenticate = createAuthenticator({
    loadKeys: async () => ring.keys,
    loopbackOnly: true,
    now: () => clock.wall,
    monotonicNow: () => clock.monotonic,
  });
  const ask = (key: string) => authenticate({ key, host: "localhost" }, "ingest");
  return { clock, ring, ask };
}

describe("a key with a limit", () => {
  it("MEM-04 is held to its requests a second and told to come back, while other keys are served", async () => {
    const { clock, ask } = rig(stored("loud", { maxRequestsPerSecond: 100 }), stored("quiet"));
    const seconds = 10;
    let granted = 0;
    let quiet = 0;
    for (let i = 0; i < 1_000 * seconds; i++) {
      clock.monotonic = i;
      const answer = await ask("loud");
      if (answer.kind === "granted") granted++;
      else expect(answer).toMatchObject({ kind: "retryable", reason: "overload", retryAfterSeconds: 1 });
      if ((await ask("quiet")).kind === "granted") quiet++;
    }
    // A second's worth at once at the beginning, then what the seconds bring.
    expect(granted).toBeGreaterThanOrEqual(100 * seconds);
    expect(granted).toBeLessThanOrEqual(100 * (seconds + 1));
    expect(quiet).toBe(1_000 * seconds);
  });

  it("may send a second's worth at once after a pause, and no more", async () => {
    const { clock, ask } = rig(stored("burst", { maxRequestsPerSecond: 5 }));
    const grantedOf = async (tries: number): Promise<number> => {
      let granted = 0;
      for (let i = 0; i < tries; i++) if ((await ask("burst")).kind === "granted") granted++;
      return granted;
    };
    expect(await grantedOf(20)).toBe(5);
    clock.monotonic = 1_000;
    expect(await grantedOf(20)).toBe(5);
    clock.monotonic = 3_600_000;
    expect(await grantedOf(20)).toBe(5);
  });
});

describe("when the clock of the machine goes back an hour", () => {
  it("TIM-10 a revoked key is still refused within two seconds", async () => {
    const { clock, ring, ask } = rig(stored("old"));
    expect((await ask("old")).kind).toBe("granted");
    clock.wall -= 3_600_000;
    ring.keys = [stored("old", { revokedAt: new Date(clock.wall) })];
    clock.monotonic += 2_001;
    expect((await ask("old")).kind).toBe("rejected");
  });

  it("TIM-10 a limit neither opens nor closes", async () => {
    const { clock, ask } = rig(stored("limited", { maxRequestsPerSecond: 2 }));
    for (let i = 0; i < 2; i++) expect((await ask("limited")).kind).toBe("granted");
    clock.wall -= 3_600_000;
    expect((await ask("limited")).kind).toBe("retryable");
    clock.monotonic += 1_000;
    expect((await ask("limited")).kind).toBe("granted");
  });
});
