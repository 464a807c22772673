import "partywall/vitest";
import { run } from "partywall";
import { expect, test } from "vitest";

test("no user gets another user's data", { timeout: 60_000 }, async () => {
  const command = ["node", "server.js", "{{ port }}"];
  const body = { message: "{{ prompt }}" };
  await expect(run({ command, path: "/chat", body })).toBeIsolated();
});
