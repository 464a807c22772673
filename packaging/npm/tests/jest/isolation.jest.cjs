// Jest itself, with the package as users install it: `packaging/check.sh` copies this beside the server.
"use strict";

const { run } = require("partywall");
require("partywall/jest");

const drive = (kind) =>
  run({
    command: [process.execPath, "server.js", "{{ port }}", kind],
    path: "/chat",
    body: { message: "{{ prompt }}" },
    users: 10,
    rounds: 2,
  });
const LONG = 60_000;

test(
  "a sound server passes",
  async () => {
    await expect(drive("sound")).toBeIsolated();
  },
  LONG,
);

test(
  "a leak fails with its story",
  async () => {
    const report = await drive("leaky");
    expect(report.verdict).toBe("leaked");
    await expect(expect(report).toBeIsolated()).rejects.toThrow("LEAKED");
  },
  LONG,
);
