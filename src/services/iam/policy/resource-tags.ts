// Tags of what a request is about, read only where a condition asks for them.
import type { Reader } from "../../../database/store.ts";
import type { NeededAccess } from "./operation-call.ts";
import type { Tags } from "./request-keys.ts";

const parse = (text: string | undefined): Tags => (text === undefined ? [] : (JSON.parse(text) as Tags));

async function tagsOfSagemaker(read: Reader, arn: string): Promise<Tags> {
  const [, region, account, kind, name] = /^arn:aws:sagemaker:([\w-]+):(\d{12}):([\w-]+)\/(.+)$/.exec(arn) ?? [];
  if (region === undefined || account === undefined || kind === undefined || name === undefined) return [];
  const row = await read
    .selectFrom("resources")
    .select("tags")
    .where("account", "=", account)
    .where("region", "=", region)
    .where("kind", "=", `sagemaker/${kind}`)
    .where("name", "=", name)
    .executeTakeFirst();
  return parse(row?.tags);
}

async function tagsOfRole(read: Reader, arn: string): Promise<Tags> {
  const [, account, name] = /^arn:aws:iam::(\d{12}):role\/(?:.*\/)?([^/]+)$/.exec(arn) ?? [];
  if (account === undefined || name === undefined) return [];
  const row = await read
    .selectFrom("roles")
    .select("tags")
    .where("account", "=", account)
    .where("name_key", "=", name.toLowerCase())
    .executeTakeFirst();
  return parse(row?.tags);
}

async function tagsOfObject(read: Reader, bucket: string, key: string): Promise<Tags> {
  const row = await read
    .selectFrom("objects")
    .select("tags")
    .where("bucket", "=", bucket)
    .where("key", "=", key)
    .executeTakeFirst();
  return parse(row?.tags);
}

/** None, where the resource is not there. */
export async function tagsOfResource(read: Reader, { resource, bucket, key }: NeededAccess): Promise<Tags> {
  if (bucket !== undefined) return key === undefined ? [] : tagsOfObject(read, bucket, key);
  return resource.includes(":role/") ? tagsOfRole(read, resource) : tagsOfSagemaker(read, resource);
}
