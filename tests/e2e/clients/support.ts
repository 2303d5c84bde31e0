// What both clients in TypeScript share: what they are told, their surprises, and the letters that people get.

import { randomBytes } from "node:crypto";
import { existsSync, readFileSync, readdirSync } from "node:fs";
import { setTimeout } from "node:timers/promises";

/** What `authsome bootstrap --json` printed, as far as clients are told it. */
interface Bootstrapped {
  environments: { slug: string; publishable_key: string }[];
}

export const PASSWORD = "correct horse battery staple 42";

class Surprise extends Error {}

export function must(claim: boolean, sentence: string): asserts claim {
  if (!claim) throw new Surprise(sentence);
}

/** An answer of either client, with its status and either a body or a problem. */
interface Answer<T> {
  data?: T;
  error?: unknown;
  response?: Response | undefined;
}

/** The body of an answer that must be a success. */
export function given<T>({ data, error, response }: Answer<T>): NonNullable<T> {
  must(data !== undefined && data !== null, `${response?.url}: ${response?.status} ${JSON.stringify(error)}`);
  return data;
}

/** An answer that must be a success, with or without a body. */
export function done({ error, response }: Answer<unknown>) {
  must(response?.ok === true, `${response?.url}: ${response?.status} ${JSON.stringify(error)}`);
}

/** An answer that must be a problem with this status. */
export function refused({ response }: Answer<unknown>, problem: { status: number; type: string } | undefined, status: number) {
  must(response?.status === status, `${response?.url}: expected ${status}, got ${response?.status}`);
  must(problem?.status === status && problem.type !== "", `${response?.url}: a problem without its type`);
}

export const address = (name: string) => `${name}.${randomBytes(6).toString("hex")}@example.org`;

/** The token of the link to `page` in a letter to `email`; letters come within seconds. */
export async function tokenTo(email: string, page: string, mail: string): Promise<string> {
  const link = new RegExp(`/pages/${page}\\?token=([\\w-]+)`);
  for (let tries = 0; tries < 200; tries += 1) {
    const files = existsSync(mail) ? readdirSync(mail) : [];
    for (const file of files.filter((name) => name.endsWith(".eml"))) {
      // Quoted-printable (RFC 2045 §6.7): soft line breaks, and the equals signs of the text.
      const letter = readFileSync(`${mail}/${file}`, "utf8").replace(/=\r?\n/g, "").replaceAll("=3D", "=");
      const token = letter.includes(`To: ${email}\r\n`) ? link.exec(letter)?.[1] : undefined;
      if (token !== undefined) return token;
    }
    await setTimeout(50);
  }
  throw new Surprise(`no letter with a link to ${page} came to ${email}`);
}

/** Runs a journey in production, where addresses must be verified. */
export async function run(journey: (base: string, key: string, mail: string) => Promise<void>) {
  const [base, file, mail] = process.argv.slice(2);
  if (base === undefined || file === undefined || mail === undefined) {
    throw new Error("usage: node CLIENT BASE BOOTSTRAP_JSON_FILE MAIL_FOLDER");
  }
  const told: Bootstrapped = JSON.parse(readFileSync(file, "utf8"));
  const production = told.environments.find((it) => it.slug === "production");
  try {
    must(production !== undefined, "there is no production");
    await journey(base.replace(/\/+$/, ""), production.publishable_key, mail);
  } catch (why) {
    if (!(why instanceof Surprise)) throw why;
    console.error(`surprise: ${why.message}`);
    process.exit(1);
  }
}
