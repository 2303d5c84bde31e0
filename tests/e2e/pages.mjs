// The pages that links of letters lead to, as a browser shows them and as scanners of mail open them.
//
//   node pages.mjs PLAN
//
// PLAN is a JSON file: [{"link", "language", "heading", "png", "key"?, "offers"?, "wears"?, "dead"?, "steps":
// [{"password"?, "answers"?, "says", "good"}]}]. Each link is opened by scanners and three times by people, whom the page
// must tell what it "offers", by the identifiers of its rows, with a button that "wears" this, or that it is "dead"; then
// the steps are taken: questions are answered, a password is typed, the button pressed, and the page must say that. Ends
// with 1 and a sentence for each surprise.

import { readFile } from "node:fs/promises";
import { launched } from "./browser.mjs";

const [file] = process.argv.slice(2);
if (!file) throw new Error("usage: pages.mjs PLAN");
const plan = JSON.parse(await readFile(file, "utf8"));
if (plan.length === 0) throw new Error("a plan without visits");
const surprises = [];

const browser = await launched();
try {
  for (const visit of plan) await see(visit);
} finally {
  await browser.close();
}

for (const surprise of surprises) console.error(`surprise: ${surprise}`);
if (surprises.length > 0) process.exit(1);
console.log(`${plan.length} pages did as they were told and asked nobody else`);

async function see(visit) {
  const { link, language } = visit;
  const expect = (claim, sentence) => claim || surprises.push(`${new URL(link).pathname} (${language}): ${sentence}`);
  for (const method of ["HEAD", "GET", "OPTIONS"]) await fetch(link, { method });

  const context = await browser.newContext({ locale: language, viewport: { width: 800, height: 600 } });
  const page = await watched(context, visit, expect);
  for (let time = 0; time < 3; time += 1) await opens(page, visit, expect);
  for (const step of visit.steps) await takes(page, step, expect);
  await page.screenshot({ path: visit.png });
  await context.close();
}

// A page that tells of everything a browser is unhappy with, and of whoever is told the token.
async function watched(context, { link, steps, dead }, expect) {
  const [base] = link.split("pages/");
  const token = new URL(link).searchParams.get("token");
  expect(token, "a link without a token");
  const page = await context.newPage();
  page.on("request", (request) => {
    const url = request.url();
    expect(url.startsWith(base), `the page asked ${url}`);
    const isAsked = url === `${base}v1/orgs/invitations/lookup?token=${token}`;
    expect(url === link || isAsked || !url.includes(token), `the token is in ${url}`);
    expect(!request.headers().referer?.includes(token), `the token is in the referer to ${url}`);
  });
  page.on("requestfailed", (request) => expect(false, `${request.url()}: ${request.failure()?.errorText}`));
  page.on("pageerror", (error) => expect(false, `script error: ${error.message}`));
  page.on("console", (line) => {
    // To the console a refusal is an error, also where it is asked for.
    const isRefusal = /with a status of (400|401|410)/.test(line.text());
    const isAskedFor = isRefusal && (dead || steps.some((step) => !step.good));
    expect(line.type() !== "error" || isAskedFor, `console: ${line.text()} (${line.location().url})`);
  });
  await page.exposeFunction("reportViolation", (rule, blocked) => expect(false, `CSP: ${rule} blocked ${blocked}`));
  await page.addInitScript(() =>
    addEventListener("securitypolicyviolation", (event) => {
      globalThis.reportViolation(event.violatedDirective, event.blockedURI);
    }),
  );
  return page;
}

async function opens(page, { link, language, heading, key, offers, wears, dead }, expect) {
  const response = await page.goto(link);
  expect(response?.status() === 200, `answered ${response?.status()}`);
  const headers = response?.headers() ?? {};
  expect(headers["content-security-policy"]?.includes("default-src 'none'"), "no content security policy");
  expect(headers["referrer-policy"] === "no-referrer", `the referrer policy ${headers["referrer-policy"]}`);
  expect(page.url() === link.split("?")[0], `the address bar shows ${page.url()}`);
  expect((await page.locator("html").getAttribute("lang")) === language, "another language");
  const shown = await page.locator("h1").textContent();
  expect(shown === heading, `the heading is ${shown}`);
  for (const [id, text] of Object.entries(offers ?? {})) {
    const row = page.locator(`#${id}`, { hasText: text });
    await row.waitFor({ timeout: 20_000 }).catch(() => expect(false, `no ${text} is offered as ${id}`));
  }
  for (const [property, value] of Object.entries(wears ?? {})) {
    const button = page.locator("button");
    const worn = await button.evaluate((it, name) => getComputedStyle(it).getPropertyValue(name), property);
    expect(worn === value, `the ${property} of the button is ${worn}`);
  }
  if (dead) await page.locator("output", { hasText: dead }).waitFor({ timeout: 20_000 }).catch(() => {});
  expect((await page.locator("output").textContent()) === (dead ?? ""), "something was done already");
  if (key) expect((await page.locator("#key").inputValue()) === key, "another key");
}

// What the app asks, by the names of its questions.
async function answers(page, given) {
  for (const [name, answer] of Object.entries(given)) {
    const control = page.locator(`#answer-${name}`);
    if (answer === true) await control.check();
    else if (Array.isArray(answer)) await control.selectOption(answer);
    else await control.fill(answer);
  }
}

async function takes(page, { password, answers: given, says, good }, expect) {
  if (given) await answers(page, given);
  if (password) await page.locator("#password").fill(password);
  await page.locator("button").click();
  const output = page.locator("output", { hasText: says });
  await output.waitFor({ timeout: 20_000 }).catch(() => {});
  const shown = await page.locator("output").textContent();
  expect(shown === says, `the page says ${JSON.stringify(shown)}, not ${JSON.stringify(says)}`);
  const kind = await page.locator("output").getAttribute("class");
  expect(kind === (good ? "good" : "bad"), `what it says is ${kind}`);
  // What is done cannot be done again; what was refused can.
  expect((await page.locator("button").count()) === (good ? 0 : 1), "the button");
}
