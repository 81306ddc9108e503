import { afterAll, beforeAll, expect, it } from "vitest";
import { type ApiRig, createApiRig } from "../../support/api-rig.ts";
import { runOn } from "../../support/cli-rig.ts";
import { describeEachServer } from "../../support/database.ts";
import { storeGenerations } from "../../support/generation-rows.ts";
import { type PrefixProxy, startPrefixProxy } from "../../support/prefix-proxy.ts";

const PREFIX = "/team/telemetry";

describeEachServer("a collector below a path of a reverse proxy", (server) => {
  let rig: ApiRig;
  let proxy: PrefixProxy;
  beforeAll(async () => {
    rig = await createApiRig(server);
    await storeGenerations(rig.owner, [{ model_name: "gpt-5" }, { model_name: "gpt-5" }]);
    proxy = await startPrefixProxy(PREFIX, async (path, init) => rig.app.request(`http://127.0.0.1:4319${path}`, init));
  });
  afterAll(async () => {
    await proxy[Symbol.asyncDispose]();
    await rig[Symbol.asyncDispose]();
  });

  it.each([
    ["generation list -o json"],
    ["generation list --all --limit 1 -o jsonl"],
    ["usage --from -7d -o json"],
    ["export generations"],
    ["alert create slow --metric failures --compare above --threshold 1 --filter env=production"],
    ["alert mute slow --for 4h"],
    ["alert delete slow"],
  ])("%s asks below that path and nowhere else, with and without a slash at its end", async (words) => {
    for (const [end, other] of [
      ["", "slow"],
      ["/", "slower"],
    ] as const) {
      const before = proxy.asked.length;
      const { code, notes } = await runOn(rig, [...words.replace("slow", other).split(" "), "--url", `${proxy.origin}${PREFIX}${end}`]);
      expect([code, notes]).toEqual([0, expect.not.stringContaining("collector")]);
      const asked = proxy.asked.slice(before);
      expect(asked).not.toEqual([]);
      for (const path of asked) expect(path).toMatch(/^\/team\/telemetry\/(api|v1)\//);
    }
  });

  it("tells of an address whose path is none of a collector's", async () => {
    const { code, notes } = await runOn(rig, ["generation", "list", "--url", `${proxy.origin}/elsewhere`]);
    expect([code, notes]).toEqual([5, expect.stringContaining("does not answer like a genspan collector")]);
  });
});
