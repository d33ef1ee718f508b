import { expect, test } from "vitest";
import { buildOf, mapDockerfile } from "./map-dockerfile.ts";

const ecr = "123456789012.dkr.ecr.us-west-2.amazonaws.com";
const here = `localhost:7243/${ecr}`;

test("a Dockerfile's images are mapped where it names them, and nowhere else", () => {
  const given = [
    "# syntax=docker/dockerfile:1",
    `ARG BASE=${ecr}/base:1`,
    `FROM ${ecr}/base:1 AS first`,
    `from --platform=linux/amd64 ${ecr}/other@sha256:00`,
    `COPY --chown=1 --from=${ecr}/tools:2 /a /b`,
    "COPY --from=first /a /b",
    `RUN echo FROM ${ecr}/base:1`,
    `ENV IMAGE=${ecr}/base:1`,
    "FROM debian:12",
    "",
  ].join("\r\n");
  const expected = given
    .replace(`BASE=${ecr}`, `BASE=${here}`)
    .replace(`FROM ${ecr}/base:1 AS`, `FROM ${here}/base:1 AS`)
    .replace(`amd64 ${ecr}`, `amd64 ${here}`)
    .replace(`--from=${ecr}`, `--from=${here}`);
  expect(mapDockerfile(given, "localhost:7243")).toBe(expected);
});

test.each([
  ["build -t a .", { context: ".", file: undefined, others: "build -t a ." }],
  ["build . -t a", { context: ".", file: undefined, others: "build . -t a" }],
  [
    "build --no-cache -f docker/File --build-arg A=b dir",
    { context: "dir", file: "docker/File", others: "build --no-cache --build-arg A=b dir" },
  ],
  ["build --file=File -q -t a dir", { context: "dir", file: "File", others: "build -q -t a dir" }],
  ["buildx build --push -t a dir", { context: "dir", file: undefined, others: "buildx build --push -t a dir" }],
  ["image build dir", { context: "dir", file: undefined, others: "image build dir" }],
])("docker %s", (given, expected) => {
  const found = buildOf(given.split(" "), 0);
  expect({ ...found, others: found?.others.join(" ") }).toEqual(expected);
});

test.each([
  "build -",
  "build -f - .",
  "build https://github.com/a/b.git",
  "build git@github.com:a/b",
  "run build .",
  "build",
])("docker %s has no Dockerfile that could be mapped", (given) => {
  expect(buildOf(given.split(" "), 0)).toBeUndefined();
});
