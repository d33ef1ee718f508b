// Lines as pip 23.0 and 23.2 print them.
import { expect, test } from "vitest";
import { pipFailure } from "./pip-failure.ts";

const noMatch = [
  "ERROR: Could not find a version that satisfies the requirement torch==1.13.1 (from versions: 2.5.0, 2.6.0)",
  "ERROR: No matching distribution found for torch==1.13.1",
];
const failure = (said: readonly string[], log = "", more: { exitCode?: number | null; extraIndex?: string } = {}) =>
  pipFailure({ said, log, exitCode: 1, ...more });
const skipped = (url: string, why: string) => `2026-11-24T11:20:40,622 Could not fetch URL ${url}: ${why} - skipping\n`;

test.each([
  [noMatch, "No matching distribution found for torch==1.13.1"],
  [
    ["ERROR: Package 'torch' requires a different Python: 3.11.2 not in '<3.5'"],
    "Package 'torch' requires a different Python: 3.11.2 not in '<3.5'",
  ],
  [["error: metadata-generation-failed", "note: See above"], "error: metadata-generation-failed"],
  [["ERROR: Could not build wheels for x", "ERROR: Failed to build x"], "Failed to build x"],
])("%j is the release's", (said, reason) => {
  expect(failure(said)).toEqual({ reason, isOfRelease: true });
});

test.each([
  [["ERROR: Could not install packages due to an OSError: [Errno 28] No space left on device"], "No space left"],
  [["ERROR: Exception:", "pip._vendor.urllib3.exceptions.ReadTimeoutError: Read timed out."], "Read timed out"],
  [["WARNING: The repository at x is not a trusted or secure host and is being ignored.", ...noMatch], "not a trusted"],
  [["error: subprocess-exited-with-error", "OSError: [Errno 122] Disk quota exceeded"], "Disk quota"],
  [["ERROR: something that nobody knows"], "something that nobody knows"],
  [[], "exit code 1"],
])("%j is not", (said, part) => {
  expect(failure(said)).toEqual({ reason: expect.stringContaining(part), isOfRelease: false });
});

test("a page that could not be asked says nothing about the release", () => {
  const down = skipped(
    "https://pypi.org/simple/torch/",
    "connection error: HTTPSConnectionPool(host='pypi.org', port=443)",
  );
  expect(failure(noMatch, down)).toEqual({
    reason: expect.stringContaining("https://pypi.org/simple/torch/ could not be asked: connection error"),
    isOfRelease: false,
  });
  const denied = skipped("https://pypi.org/simple/torch/", "401 Client Error: Unauthorized for url: …");
  expect(failure(noMatch, denied).isOfRelease).toBe(false);
});

test("a page that is not there, or of another package, is an answer", () => {
  const none = skipped("https://pypi.org/simple/torch/", "404 Client Error: Not Found for url: …");
  const other = skipped("https://pypi.org/simple/numpy/", "503 Server Error: …");
  const extraIndex = "https://download.pytorch.org/whl/cpu";
  const forbidden = skipped(`${extraIndex}/torch/`, "403 Client Error: Forbidden for url: …");
  expect(failure(noMatch, none + other).isOfRelease).toBe(true);
  expect(failure(noMatch, forbidden, { extraIndex }).isOfRelease).toBe(true);
  expect(failure(noMatch, forbidden).isOfRelease).toBe(false);
});

test("a connection that broke and was made again is not the reason; inside a build it is all that can be seen", () => {
  const retry =
    "WARNING: Retrying (Retry(total=4)) after connection broken by 'NewConnectionError(…: Connection refused)'";
  expect(failure([retry, ...noMatch]).isOfRelease).toBe(true);
  const build = ["× pip subprocess to install build dependencies did not run successfully.", retry, ...noMatch];
  expect(failure(build).isOfRelease).toBe(false);
});

test("a pip that was killed says nothing about the release", () => {
  for (const exitCode of [null, 137])
    expect(failure(noMatch, "", { exitCode })).toEqual({ reason: "pip was killed", isOfRelease: false });
});
