import { expect, it } from "vitest";
import { generateKey, hashKey, type StoredKey } from "../../../collector/base/api-key.ts";
import { createAuthenticator } from "../../../collector/base/authenticate.ts";

const ROUNDS = 10_000;

const median = (values: number[]): number => values.toSorted((a, b) => a - b)[values.length >> 1]!;

it("AUT-06 a key that is right in its first characters takes as long as one that is wrong from the start", {
  timeout: 60_000,
}, async () => {
  const key = generateKey();
  const stored: StoredKey = {
    id: "k",
    projectId: 1,
    hash: hashKey(key),
    scopes: ["read"],
    expiresAt: null,
    revokedAt: null,
    maxRequestsPerSecond: null,
  };
  const authenticate = createAuthenticator({ loadKeys: async () => [stored], loopbackOnly: true });
  const nearly = `${key.slice(0, -1)}${key.endsWith("A") ? "B" : "A"}`;
  const far = `x${key.slice(1)}`;
  const took: Record<"nearly" | "far", number[]> = { nearly: [], far: [] };
  // Taken in turns, so that whatever else the machine does falls on both alike.
  for (let i = 0; i < ROUNDS; i++) {
    for (const [name, presented] of i % 2 === 0
      ? ([
          ["nearly", nearly],
          ["far", far],
        ] as const)
      : ([
          ["far", far],
          ["nearly", nearly],
        ] as const)) {
      const started = process.hrtime.bigint();
      const { kind } = await authenticate({ key: presented, host: "localhost" }, "read");
      took[name].push(Number(process.hrtime.bigint() - started));
      expect(kind).toBe("rejected");
    }
  }
  // The first test guards against gross differences; the second says why there can be none.
  const ratio = median(took.nearly) / median(took.far);
  expect(ratio).toBeGreaterThan(0.5);
  expect(ratio).toBeLessThan(2);
});

it("AUT-06 keys are looked up by their digests, which share nothing when the keys do", () => {
  const key = generateKey();
  const [a, b] = [hashKey(key), hashKey(`${key.slice(0, -1)}${key.endsWith("A") ? "B" : "A"}`)];
  const differingBits = a.reduce((sum, byte, i) => sum + (byte ^ b[i]!).toString(2).replaceAll("0", "").length, 0);
  expect(differingBits).toBeGreaterThan(70);
});
