// Where the program is: in the package for this platform.
"use strict";

const { existsSync } = require("node:fs");

/** The platforms that there is a package for. */
const PLATFORMS = ["darwin-arm64", "darwin-x64", "linux-arm64", "linux-x64", "win32-x64"];

/** The path of the program; `PARTYWALL_BINARY` names another one. */
function findBinary() {
  const named = process.env.PARTYWALL_BINARY;
  if (named) {
    if (!existsSync(named)) throw new Error(`PARTYWALL_BINARY names no file: ${named}`);
    return named;
  }
  const platform = `${process.platform}-${process.arch}`;
  if (!PLATFORMS.includes(platform)) {
    throw new Error(
      `there is no package of partywall for ${platform}; build it with cargo and name it in PARTYWALL_BINARY`,
    );
  }
  const file = process.platform === "win32" ? "partywall.exe" : "partywall";
  try {
    return require.resolve(`@partywall/${platform}/bin/${file}`);
  } catch {
    throw new Error(
      `the package @partywall/${platform} is not installed; install partywall again without --omit=optional, ` +
        "or name the program in PARTYWALL_BINARY",
    );
  }
}

module.exports = { findBinary, PLATFORMS };
