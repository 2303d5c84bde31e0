// A server made with better-auth, as its documentation shows it; says where it is as one line of JSON.
//
//     server.mjs sqlite FILE default|bcrypt COST
//     server.mjs mongodb URL default|bcrypt COST
//
// What differs from the defaults: rate limits are off; writes are as durable as those that it is compared with
// (journal_mode=WAL with synchronous=FULL; majority and journaled); MongoDB has the indexes that its adapter does not
// make; organizations hold more than a hundred members. Below /api/renew is the same with updateAge 0: every look at a
// session writes it, which is as near as it comes to a refresh.
import { createServer } from "node:http";
import { readFileSync } from "node:fs";
import bcrypt from "bcrypt";
import { betterAuth } from "better-auth";
import { mongodbAdapter } from "better-auth/adapters/mongodb";
import { getMigrations } from "better-auth/db/migration";
import { toNodeHandler } from "better-auth/node";
import { organization } from "better-auth/plugins";
import Database from "better-sqlite3";
import { MongoClient } from "mongodb";

const [store, place, hash, cost] = process.argv.slice(2);

const INDEXES = {
  user: [{ email: 1 }],
  session: [{ token: 1 }, { userId: 1 }],
  account: [{ userId: 1 }, { accountId: 1 }],
  organization: [{ slug: 1 }],
  member: [{ organizationId: 1, userId: 1 }, { userId: 1 }],
};

async function onSqlite() {
  const database = new Database(place);
  database.pragma("journal_mode = WAL");
  database.pragma("synchronous = FULL");
  return database;
}

async function onMongo() {
  const client = await new MongoClient(place, { writeConcern: { w: "majority", journal: true } }).connect();
  const database = client.db();
  for (const [collection, keys] of Object.entries(INDEXES))
    for (const key of keys) await database.collection(collection).createIndex(key).catch(unlessThere);
  return mongodbAdapter(database, { client });
}

// The adapter may have made one of the same keys: IndexOptionsConflict.
function unlessThere(error) {
  if (error.code !== 85) throw error;
}

const hashing = {
  hash: (password) => bcrypt.hash(password, Number(cost)),
  verify: ({ hash, password }) => bcrypt.compare(password, hash),
};

const server = createServer().listen(0, "127.0.0.1");
await new Promise((listening) => server.once("listening", listening));
const baseURL = `http://127.0.0.1:${server.address().port}`;

const options = {
  baseURL,
  secret: "a secret of the benchmark, 32 characters at least",
  database: store === "sqlite" ? await onSqlite() : await onMongo(),
  emailAndPassword: { enabled: true, ...(hash === "bcrypt" && { password: hashing }) },
  rateLimit: { enabled: false },
  telemetry: { enabled: false },
  plugins: [organization({ membershipLimit: 10_000, organizationLimit: 1_000_000 })],
};
if (store === "sqlite") await (await getMigrations(options)).runMigrations();
const auth = betterAuth(options);
const renewing = betterAuth({ ...options, basePath: "/api/renew", session: { updateAge: 0 } });

const [answers, renews] = [toNodeHandler(auth), toNodeHandler(renewing)];

// For whoever sets the scene: its own way in is an invitation by mail.
async function addMember(request, response) {
  let text = "";
  for await (const part of request) text += part;
  const { organizationId, userId } = JSON.parse(text);
  const member = await auth.api.addMember({ body: { organizationId, userId, role: "member" } });
  response.setHeader("content-type", "application/json");
  response.end(JSON.stringify(member));
}

server.on("request", (request, response) => {
  if (request.url === "/bench/members") return addMember(request, response);
  return request.url.startsWith("/api/renew/") ? renews(request, response) : answers(request, response);
});

const version = (name) => JSON.parse(readFileSync(new URL(`node_modules/${name}/package.json`, import.meta.url))).version;
const how = hash === "bcrypt" ? `bcrypt ${version("bcrypt")}, cost ${cost}` : "scrypt N=16384 r=16 p=1";
const driver = store === "sqlite" ? "better-sqlite3" : "mongodb";
const what = `better-auth ${version("better-auth")}, ${driver} ${version(driver)}, node ${process.version}; ${how}`;
console.log(JSON.stringify({ address: `127.0.0.1:${server.address().port}`, what }));
