import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { runSalvia, processKey, serveOn } from "../server-process.fake.ts";
import { shellLines } from "./env.ts";
import { execEnvironment } from "./exec-environment.ts";

const awkward = `a'b"c $d \\ e`;

test("what bash is told comes out of bash as it was", () => {
  const script = `${shellLines("bash", { X: awkward, GONE: undefined })}printf %s "$X:$GONE"`;
  expect(execFileSync("bash", ["-c", script], { encoding: "utf8", env: { GONE: "here" } })).toBe(`${awkward}:`);
});

test("fish and PowerShell get lines of their own", () => {
  expect(shellLines("fish", { X: "it's \\", Y: undefined })).toBe("set -gx X 'it\\'s \\\\'\nset -e Y\n");
  expect(shellLines("powershell", { X: "it's", Y: undefined })).toBe(
    "$Env:X = 'it''s'\nRemove-Item -ErrorAction SilentlyContinue Env:Y\n",
  );
});

test("env tells root's keys, JSON and lines, and refuses shells that it does not know", async () => {
  const folder = mkdtempSync(join(tmpdir(), "salvia-env-test-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const data = join(folder, "data");
  const server = serveOn(data);
  const url = await server.ready();
  const say = (...flags: string[]) => runSalvia(["env", "--data", data, ...flags]).ended;
  const root = await say("--root", "--json");
  expect(JSON.parse(root.stdout)).toEqual({
    AWS_ENDPOINT_URL: url,
    AWS_ACCESS_KEY_ID: processKey.accessKeyId,
    AWS_SECRET_ACCESS_KEY: processKey.secretAccessKey,
    AWS_DEFAULT_REGION: "us-west-2",
    AWS_REGION: "us-west-2",
  });
  expect((await say("--root")).stdout).toContain("\nunset AWS_SESSION_TOKEN\n");
  expect((await say("--shell=fish", "--region", "eu-west-1")).stdout).toContain("set -gx AWS_REGION 'eu-west-1'\n");
  expect(await say("--shell", "tcsh")).toMatchObject({ code: 2, stdout: "" });
  await server.kill("SIGTERM");
});

test("a command under exec sees nothing of the user's own AWS settings, and keeps the rest", () => {
  const user = {
    HOME: "/h",
    PATH: "/bin",
    AWS_PROFILE: "p",
    AWS_ENDPOINT_URL_S3: "x",
    AWS_ACCESS_KEY_ID: "mine",
    AWS_REGION: "eu-west-1",
  };
  const made = execEnvironment(user, {
    proxyUrl: "http://u:p@127.0.0.1:1",
    bundleFile: "/t/c.pem",
    emptyFile: "/t/empty",
    shimFolder: "/t/bin",
    region: "us-west-2",
    endpointUrl: undefined,
    credentials: { AWS_SESSION_TOKEN: "t" },
  });
  expect(made).toMatchObject({
    HOME: "/h",
    PATH: "/t/bin:/bin",
    AWS_REGION: "eu-west-1",
    AWS_DEFAULT_REGION: "eu-west-1",
    AWS_SESSION_TOKEN: "t",
    AWS_CONFIG_FILE: "/t/empty",
    no_proxy: "localhost,.localhost,127.0.0.1,::1",
  });
  for (const name of ["AWS_PROFILE", "AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL", "AWS_ACCESS_KEY_ID"])
    expect(made).not.toHaveProperty(name);
});
