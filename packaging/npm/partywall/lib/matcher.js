// The matcher that Vitest and Jest share.
"use strict";

const { story } = require("./index.js");

/** `await expect(report).toBeIsolated()`: the report, or a promise of one. */
async function toBeIsolated(received) {
  const report = await received;
  if (typeof report?.verdict !== "string" || typeof report.text !== "string") {
    throw new TypeError("toBeIsolated expects a report of partywall's `run`, or a promise of one");
  }
  // Doubt is no pass, and no proof of a leak either.
  const doubtful = this.isNot && report.verdict === "inconclusive";
  return {
    pass: report.verdict === "clean" || doubtful,
    message: () => story(report),
  };
}

module.exports = { toBeIsolated };
