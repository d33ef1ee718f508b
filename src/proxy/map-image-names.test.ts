import { expect, test } from "vitest";
import { mapImageNames } from "./map-image-names.ts";

const ecr = "123456789012.dkr.ecr.us-west-2.amazonaws.com";

test.each([
  [`pull ${ecr}/a/b:1`, `pull localhost:7243/${ecr}/a/b:1`],
  [`push ${ecr}/a@sha256:00`, `push localhost:7243/${ecr}/a@sha256:00`],
  [`tag mine:1 ${ecr}/mine:1`, `tag mine:1 localhost:7243/${ecr}/mine:1`],
  [`build -t ${ecr}/a --tag=${ecr}/b .`, `build -t localhost:7243/${ecr}/a --tag=localhost:7243/${ecr}/b .`],
  [`images ${ecr}/a`, `images localhost:7243/${ecr}/a`],
  [`login -u AWS --password-stdin https://${ecr}`, "login -u AWS --password-stdin localhost:7243"],
  [`login -u AWS -p x ${ecr}.cn`, "login -u AWS -p x localhost:7243"],
  [`--context far pull ${ecr}/a`, `--context far pull localhost:7243/${ecr}/a`],
  [`container run --rm ${ecr}/a`, `container run --rm localhost:7243/${ecr}/a`],
  [
    `run -it --rm -p 80:80 -e IMAGE=${ecr}/a --name=n ${ecr}/a:1 train ${ecr}/b`,
    `run -it --rm -p 80:80 -e IMAGE=${ecr}/a --name=n localhost:7243/${ecr}/a:1 train ${ecr}/b`,
  ],
  [`run -v/a:/b ubuntu echo ${ecr}/a`, `run -v/a:/b ubuntu echo ${ecr}/a`],
  [`exec box echo ${ecr}/a`, `exec box echo ${ecr}/a`],
  ["pull docker.io/library/alpine", "pull docker.io/library/alpine"],
  [`pull evil.example/${ecr}/a`, `pull evil.example/${ecr}/a`],
  [`build --build-arg BASE=${ecr}/base:1 .`, `build --build-arg BASE=localhost:7243/${ecr}/base:1 .`],
  [`pull ${ecr.replace("ecr", "ecr-fips")}/a`, `pull localhost:7243/${ecr}/a`],
  [`logout ${ecr}/`, "logout localhost:7243"],
  [`login ${ecr}/a`, "login localhost:7243"],
  ["ps", "ps"],
])("docker %s", (given, expected) => {
  expect(mapImageNames(given.split(" "), "localhost:7243").join(" ")).toBe(expected);
});
