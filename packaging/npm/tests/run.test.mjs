import { execFileSync, spawnSync } from "node:child_process";
import fs from "node:fs";
import { createRequire } from "node:module";
import os from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import "partywall/vitest";
import { assertIsolated, findBinary, NotIsolatedError, PartywallError, run } from "partywall";
import { afterAll, expect, test } from "vitest";

const require = createRequire(import.meta.url);
const server = fileURLToPath(new URL("server.js", import.meta.url));
const reportDir = fs.mkdtempSync(path.join(os.tmpdir(), "partywall-test-"));
afterAll(() => fs.rmSync(reportDir, { recursive: true }));

const options = (kind) => ({
  command: [process.execPath, server, "{{ port }}", kind],
  path: "/chat",
  body: { message: "{{ prompt }}" },
  users: 10,
  rounds: 2,
  reportDir,
});
const LONG = 60_000;

test("a leak fails with its story and its files", { timeout: LONG }, async () => {
  const report = await run(options("leaky"));
  expect(report.verdict).toBe("leaked");
  expect(fs.existsSync(report.json) && fs.existsSync(report.html)).toBe(true);
  expect(report.findings[0].reproduceWith).toContain("partywall replay");
  expect(() => assertIsolated(report)).toThrow(NotIsolatedError);
  await expect(expect(report).toBeIsolated()).rejects.toThrow("LEAKED");
  await expect(report).not.toBeIsolated();
});

test("a sound server passes, also as a promise", { timeout: LONG }, async () => {
  await expect(run(options("sound"))).toBeIsolated();
});

test("doubt is neither isolated nor a leak", { timeout: LONG }, async () => {
  const dead = [process.execPath, "-e", "process.exit(3)", "{{ port }}"];
  const report = await run({ ...options("sound"), command: dead });
  expect(report.verdict).toBe("inconclusive");
  await expect(expect(report).toBeIsolated()).rejects.toThrow("INCONCLUSIVE");
  await expect(expect(report).not.toBeIsolated()).rejects.toThrow("INCONCLUSIVE");
});

test.each([
  [{ ...options("sound"), url: "http://127.0.0.1:1" }, "not both"],
  [{ path: "/chat", body: { message: "{{ prompt }}" } }, "what is driven"],
  [{ command: ["x", "{{ port }}"] }, "scenario"],
  [{ ...options("sound"), body: {} }, "prompt"],
  [{ ...options("sound"), answer: "smoke" }, "answer"],
  [{ ...options("sound"), body: { message: "{{ prompt }}", none: null } }, "null"],
  [{ ...options("sound"), users: 1 }, "--users"],
])("what cannot be driven is an error: %#", async (given, why) => {
  await expect(run(given)).rejects.toThrow(PartywallError);
  await expect(run(given)).rejects.toThrow(why);
});

test("a report is wanted", async () => {
  await expect(expect("clean").toBeIsolated()).rejects.toThrow(TypeError);
});

test("what is written is a scenario whatever the body holds", () => {
  const { requestScenario } = require("../partywall/lib/scenario.js");
  const body = {
    messages: [{ role: "user", content: "{{ prompt }}" }],
    'odd key "\\': "line\nbreak \x7f 😀",
    numbers: [1, 2.5, true, { deep: [] }],
  };
  const file = path.join(reportDir, "request.toml");
  const text = requestScenario({ path: "/v1/chat", body, answer: "stream" });
  fs.writeFileSync(file, `${text}\n[target]\nurl = "http://127.0.0.1:1"\n`);
  const shown = execFileSync(findBinary(), ["run", file, "--dry-run"], { encoding: "utf8" });
  const sent = JSON.parse(shown.split("\n").find((line) => line.startsWith("{")));
  body.messages[0].content = sent.messages[0].content;
  expect(sent).toEqual(body);
});

test("Jest is given the same matcher", async () => {
  globalThis.expect = expect;
  require("../partywall/lib/jest.js");
  await expect(Promise.resolve({ verdict: "clean", text: "" })).toBeIsolated();
});

test("the program passes its exit code on", () => {
  const program = fileURLToPath(new URL("../partywall/bin/partywall.js", import.meta.url));
  expect(spawnSync(process.execPath, [program, "--version"]).status).toBe(0);
  expect(spawnSync(process.execPath, [program, "--no-such"]).status).toBe(2);
});
