import { expect, test } from "vitest";
import { mapImageNames } from "./map-image-names.ts";

const ecr = "123456789012.dkr.ecr.us-west-2.amazonaws.com";

test.each([
  [`pull ${ecr}/a/b:1`, "pull localhost:7243/a/b:1"],
  [`push ${ecr}/a@sha256:00`, "push localhost:7243/a@sha256:00"],
  [`tag mine:1 ${ecr}/mine:1`, "tag mine:1 localhost:7243/mine:1"],
  [`build -t ${ecr}/a --tag=${ecr}/b .`, "build -t localhost:7243/a --tag=localhost:7243/b ."],
  [`images ${ecr}/a`, "images localhost:7243/a"],
  [`login -u AWS --password-stdin https://${ecr}`, "login -u AWS --password-stdin localhost:7243"],
  [`login -u AWS -p x ${ecr}.cn`, "login -u AWS -p x localhost:7243"],
  [`--context far pull ${ecr}/a`, "--context far pull localhost:7243/a"],
  [`container run --rm ${ecr}/a`, "container run --rm localhost:7243/a"],
  [
    `run -it --rm -p 80:80 -e IMAGE=${ecr}/a --name=n ${ecr}/a:1 train ${ecr}/b`,
    `run -it --rm -p 80:80 -e IMAGE=${ecr}/a --name=n localhost:7243/a:1 train ${ecr}/b`,
  ],
  [`run -v/a:/b ubuntu echo ${ecr}/a`, `run -v/a:/b ubuntu echo ${ecr}/a`],
  [`exec box echo ${ecr}/a`, `exec box echo ${ecr}/a`],
  ["pull docker.io/library/alpine", "pull docker.io/library/alpine"],
  [`pull evil.example/${ecr}/a`, `pull evil.example/${ecr}/a`],
  ["ps", "ps"],
])("docker %s", (given, expected) => {
  expect(mapImageNames(given.split(" "), "localhost:7243").join(" ")).toBe(expected);
});
