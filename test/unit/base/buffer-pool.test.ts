import { describe, expect, it } from "vitest";
import { createBufferPool } from "../../../collector/base/buffer-pool.ts";

const KIB = 1024;

describe("the buffer pool", () => {
  it("hands a returned buffer to the next request of about its size, and to one only", () => {
    const pool = createBufferPool(1024 * KIB);
    const first = pool.take(100 * KIB);
    pool.give(first.subarray(0, 98 * KIB));
    expect(pool.take(98 * KIB).buffer).toBe(first.buffer);
    expect(pool.take(98 * KIB).buffer).not.toBe(first.buffer);
  });

  it.each([1, 16 * KIB - 1, 16 * KIB, 100_001, 5_000_000, 9_000_000])(
    "gives at least the %i bytes asked for, at most a quarter more",
    (size) => {
      const { length } = createBufferPool(0).take(size);
      expect(length).toBeGreaterThanOrEqual(size);
      expect(length).toBeLessThanOrEqual(size * 1.25);
    },
  );

  it("keeps no more idle bytes than it may, and of them the sizes in use", () => {
    const pool = createBufferPool(256 * KIB);
    const old = pool.take(64 * KIB);
    const used = [pool.take(128 * KIB), pool.take(128 * KIB)];
    pool.give(old);
    for (const buffer of used) pool.give(buffer);
    expect(pool.idleBytes).toBe(256 * KIB);
    expect(pool.take(64 * KIB).buffer).not.toBe(old.buffer);
    expect(used.map((each) => each.buffer)).toContain(pool.take(128 * KIB).buffer);
    expect(pool.idleBytes).toBe(128 * KIB);
  });

  it.each([
    ["small", 8 * KIB],
    ["huge", 16 * 1024 * KIB],
    ["more than all it may keep", 4 * 1024 * KIB],
  ])("does not keep what is %s", (_, size) => {
    const pool = createBufferPool(1024 * KIB);
    pool.give(pool.take(size));
    expect(pool.idleBytes).toBe(0);
  });

  it("leaves memory alone that it did not lend, or got back already", () => {
    const pool = createBufferPool(1024 * KIB);
    pool.give(Buffer.alloc(64 * KIB));
    expect(pool.idleBytes).toBe(0);
    const lent = pool.take(64 * KIB);
    pool.give(lent);
    pool.give(lent);
    expect(pool.idleBytes).toBe(64 * KIB);
  });
});
