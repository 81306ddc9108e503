import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type ApiRig, createApiRig } from "../../support/api-rig.ts";
import { describeEachServer } from "../../support/database.ts";
import { storeGenerations } from "../../support/generation-rows.ts";
import { pagesOf } from "../../support/pages.ts";

const CALLS = 60;
const MINUTE_MS = 60_000;

describeEachServer("a search for words", (server) => {
  let rig: ApiRig;
  beforeAll(async () => {
    rig = await createApiRig(server);
    const now = Date.now();
    const calls = Array.from({ length: CALLS }, (_, i) => ({
      start_time: new Date(now - (i * 20 + 1) * MINUTE_MS),
      prompt_full_text: `Frequent ${i % 5 === 0 ? "SomeTimes" : ""}`,
      response_full_text: i === CALLS - 2 ? "only RARELY here" : null,
    }));
    await storeGenerations(rig.owner, calls);
  });
  afterAll(() => rig?.[Symbol.asyncDispose]());

  it.each([
    ["frequent", CALLS],
    ["sometimes", CALLS / 5],
    ["rarely", 1],
    ["frequent+sometimes", CALLS / 5],
    ["never", 0],
  ])("for %s finds the same in a day as in a month, newest first", async (words, count) => {
    const day = await pagesOf(rig, `from=-24h&q=${words}`);
    expect(day.ids).toHaveLength(count);
    expect(day).toEqual(await pagesOf(rig, `from=-720h&q=${words}`));
    expect((await pagesOf(rig, `from=-24h&sort=time&q=${words}`)).ids).toEqual(day.ids.toReversed());
  });

  describe("in messages", () => {
    const SAID = 'Das Café zeigt ein "Zweifelsfall" aus C:\\Userdata: ÜBUNGSbeispiel \u{1f642}, siehe a/b.';
    const messages = JSON.stringify([{ role: "user", parts: [{ type: "text", content: SAID }] }]);
    const asAscii = messages.replace(/[\u0080-\uffff]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`);
    const texts = [SAID, messages, asAscii, asAscii.replaceAll("/", "\\/"), JSON.stringify({ arguments: asAscii })];
    const start_time = new Date(Date.now() - 90 * 24 * 60 * MINUTE_MS);
    const range = `from=${new Date(start_time.getTime() - MINUTE_MS).toISOString()}&to=-80d`;

    beforeAll(async () => {
      expect(asAscii).toContain("Caf\\u00e9");
      const calls = [...texts, "Das Cafe zeigt einen Fall"].map((text) => ({ start_time, prompt_full_text: text }));
      await storeGenerations(rig.owner, calls, CALLS + 1);
      for (const text of [messages, asAscii])
        await rig.owner`INSERT INTO image_traces (project_id, id, created_at, received_at, status, request_data)
          VALUES (1, gen_random_uuid(), ${start_time}, now(), 'completed', ${text}::text::jsonb)`;
    });

    it.each(["café", "CAFÉ", "Übungsbeispiel", "übungsBEISPIEL", '"Zweifelsfall"', "C:\\Userdata", "c:\\userDATA:", "\u{1f642}", "A/B."])(
      "%s is found as it is and however JSON escapes it",
      async (word) => {
        const query = `${range}&q=${encodeURIComponent(word)}`;
        expect((await pagesOf(rig, query)).ids).toHaveLength(texts.length);
        expect((await rig.get<{ data: unknown[] }>(`/api/images?${query}`)).body.data).toHaveLength(2);
      },
    );

    it.each(["cafè", '"Zweifel"', "C:Userdata", "\u{1f643}", "a.b"])("%s, which nobody wrote, is not found", async (word) => {
      expect((await pagesOf(rig, `${range}&q=${encodeURIComponent(word)}`)).ids).toEqual([]);
    });

    it.each(["é", "日", '"', "\\", "ß", "\u{1f642}"])("a word as long as may be asked, all of %s, is answered", async (char) => {
      const word = char.repeat(1_000 / char.length);
      expect((await pagesOf(rig, `${range}&q=${encodeURIComponent(word)}`)).ids).toEqual([]);
    });
  });
});
