// What is typed: this file is only compiled.
import "partywall/vitest";
import { expect } from "vitest";
import { assertIsolated, run, type Finding, type Report } from "partywall";

export async function typed(): Promise<readonly Finding[]> {
  const report: Report = await run({ url: "http://127.0.0.1:1", scenario: "chat.toml", users: 5 });
  await expect(report).toBeIsolated();
  assertIsolated(report);
  // @ts-expect-error A verdict is one of three.
  if (report.verdict === "perhaps") return [];
  // @ts-expect-error There is no such option.
  await run({ scenario: "chat.toml", user: 5 });
  // @ts-expect-error An answer is JSON or a stream.
  await run({ path: "/chat", body: { message: "{{ prompt }}" }, answer: "smoke" });
  return report.findings;
}
