/** What a run is given: `scenario`, or `path` and `body`; and what it drives. */
export interface RunOptions {
  /** A scenario file. */
  scenario?: string;
  /** Without a scenario file: the path that every user requests. */
  path?: string;
  /** The method of that request [default: POST]. */
  method?: string;
  /** Its JSON body, with `{{ prompt }}` in a text. */
  body?: Record<string, unknown>;
  /** How it is answered [default: json]. */
  answer?: "json" | "stream";
  /** How users are told apart [default: `authorization` and `x-user-id` with the user's name]. */
  headers?: Record<string, string>;
  /** Starts the server; `{{ port }}` stands for its port in one of the words. */
  command?: readonly string[];
  /** Where the server runs already. */
  url?: string;
  /** Simulated users. */
  users?: number;
  /** Rounds in which all users start together. */
  rounds?: number;
  /** Random seed. */
  seed?: number;
  /** Seconds after which the run stops; it is then never clean. */
  timeLimit?: number;
  /** Where run folders go [default: reports]. */
  reportDir?: string;
  /** The name of the run folder's series [default: node]. */
  name?: string;
}

/** One leak, or another wrong that the verdict counts. */
export interface Finding {
  /** Who found it: `O1` to `O10`; `partywall explain O1` says what that means. */
  readonly oracle: string;
  /** `crossing` where data of one user reached another. */
  readonly kind: string;
  /** The user whose data it was. */
  readonly victim: string;
  /** The user who saw it. */
  readonly observer: string;
  /** One sentence. */
  readonly summary: string;
  /** Stays the same when the same fault is found again. */
  readonly fingerprint: string;
  /** The command that reproduces it. */
  readonly reproduceWith?: string;
}

/** What a run came to. */
export interface Report {
  readonly verdict: "clean" | "leaked" | "inconclusive";
  readonly exitCode: "clean" | "leaked" | "nothing_exercised" | "inconclusive" | "interrupted";
  /** Why the verdict is what it is. */
  readonly reasons: readonly string[];
  readonly findings: readonly Finding[];
  /** The report as the terminal shows it. */
  readonly text: string;
  /** The run folder. */
  readonly folder: string;
  /** The file of the report in JSON. */
  readonly json: string;
  /** The file of the report as a page. */
  readonly html: string;
  /** The whole of `report.json`. */
  readonly data: Record<string, unknown>;
}

/** Nothing was judged: a wrong scenario or option, or an error of the program. */
export class PartywallError extends Error {}

/** The run is no pass. */
export class NotIsolatedError extends Error {
  readonly report: Report;
}

/** Drives a server with many simulated users at once; the report says what was seen. */
export function run(options: RunOptions): Promise<Report>;

/** Throws a {@link NotIsolatedError} where the run is no pass: leaked, inconclusive or not exercised. */
export function assertIsolated(report: Report): void;

/** The report as text, and where it is. */
export function story(report: Report): string;

/** The path of the program. */
export function findBinary(): string;
