// An object of the running server as a file: whole, and by ranges, with requests that the root's keys sign.
import { hash } from "node:crypto";
import type { Config } from "../config.ts";
import type { DataFile } from "../formats/inspect-data.ts";
import type { Clock } from "../lib/clock.ts";
import { readServerFile } from "../lib/server-file.ts";
import { canonicalRequest, uriEncode } from "../protocols/signature-canonical.ts";
import { algorithm, amzDate } from "../protocols/signature-claim.ts";
import { SigningKeys } from "../protocols/signing-keys.ts";
import { clientKeys, noSalviaYet } from "./env.ts";

/** What the user can put right: told without a stack. */
export class ObjectProblem extends Error {}

const region = "us-east-1";
const unsigned = "UNSIGNED-PAYLOAD";
const signedHeaders = ["host", "x-amz-content-sha256", "x-amz-date"];

interface Keys {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
}

function signature(keys: Keys, method: string, url: URL, atMs: number): Record<string, string> {
  const at = amzDate(atMs);
  const headers = { host: url.host, "x-amz-content-sha256": unsigned, "x-amz-date": at };
  const request = { method, rawPath: url.pathname, rawQuery: "", headers };
  const canonical = canonicalRequest(request, { isS3: true, signedHeaders, payloadHash: unsigned });
  const date = at.slice(0, 8);
  const scope = `${date}/${region}/s3/aws4_request`;
  const text = `${algorithm}\n${at}\n${scope}\n${hash("sha256", canonical, "hex")}`;
  const signed = new SigningKeys().keyFor(keys.secretAccessKey, { date, region, service: "s3" }).sign(text);
  const credential = `Credential=${keys.accessKeyId}/${scope}`;
  return {
    "x-amz-content-sha256": unsigned,
    "x-amz-date": at,
    authorization: `${algorithm} ${credential}, SignedHeaders=${signedHeaders.join(";")}, Signature=${signed}`,
  };
}

const objectUrl = /^s3:\/\/([^/]+)\/(.+)$/s;

export const isObjectUrl = (name: string): boolean => name.startsWith("s3://");

const reasons: Readonly<Record<number, string>> = { 403: "access denied", 404: "there is no such object" };

/** Asks the server how long the object is. Throws ObjectProblem. */
export async function openObject(name: string, config: Config, clock: Clock): Promise<DataFile> {
  const [, bucket, key] = objectUrl.exec(name) ?? [];
  if (bucket === undefined || key === undefined) throw new ObjectProblem(`${name} is not of the form s3://BUCKET/KEY`);
  const server = readServerFile(config.dataFolder)?.url;
  if (server === undefined) {
    throw new ObjectProblem(
      noSalviaYet(config)?.trimEnd() ?? `No server answers for the data folder ${config.dataFolder}`,
    );
  }
  const keys = await clientKeys(config, "root", "salvia-inspect");
  const path = [bucket, ...key.split("/")].map((part) => uriEncode(Buffer.from(part))).join("/");
  const url = new URL(`${server}/${path}`);
  const ask = async (method: string, range?: string): Promise<Response> => {
    const headers = {
      ...signature(keys, method, url, clock.now().getTime()),
      ...(range === undefined ? {} : { range }),
    };
    const answer = await fetch(url, { method, headers }).catch(() => {
      throw new ObjectProblem(`No server answers at ${server}. Start it with \`salvia serve\`.`);
    });
    if (!answer.ok)
      throw new ObjectProblem(`${name}: ${reasons[answer.status] ?? `the server answered ${answer.status}`}`);
    return answer;
  };
  const head = await ask("HEAD");
  return {
    source: name,
    byteLength: Number(head.headers.get("content-length") ?? 0),
    stream: async function* () {
      const { body } = await ask("GET");
      if (body) yield* body;
    },
    read: async (from, to) => (from === to ? new Uint8Array(0) : (await ask("GET", `bytes=${from}-${to - 1}`)).bytes()),
  };
}
