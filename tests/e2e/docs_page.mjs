// The documentation page, as a browser shows it: every operation is there, and nothing came from elsewhere.
//
//   node docs_page.mjs BASE PNG
//
// Ends with 1 and a sentence for each surprise. The screenshot is written in any case.

import { launched } from "./browser.mjs";

const METHODS = ["get", "put", "post", "delete", "options", "head", "patch", "trace"];
const [base, png] = process.argv.slice(2);
if (!base || !png) throw new Error("usage: docs_page.mjs BASE PNG");
const origin = new URL(base).origin;
const surprises = [];

const document = await (await fetch(`${base}/.well-known/authsome/openapi`)).json();
const operations = Object.values(document.paths).flatMap((path) => METHODS.filter((method) => method in path)).length;
if (operations === 0) surprises.push("the OpenAPI document has no operations");

const browser = await launched();
try {
  const page = await browser.newPage({ viewport: { width: 1280, height: 1600 } });
  page.on("request", (request) => {
    const url = new URL(request.url());
    const inline = url.protocol === "data:" || url.protocol === "blob:";
    if (!inline && url.origin !== origin) surprises.push(`the page asked ${url.origin} for ${url.pathname}`);
  });
  page.on("requestfailed", (request) => surprises.push(`${request.url()}: ${request.failure()?.errorText}`));
  page.on("console", (line) => {
    if (line.type() === "error") surprises.push(`console: ${line.text()} (${line.location().url})`);
  });
  page.on("pageerror", (error) => surprises.push(`script error: ${error.message}`));
  await page.exposeFunction("reportViolation", (rule, blocked) => surprises.push(`CSP: ${rule} blocked ${blocked}`));
  await page.addInitScript(() =>
    addEventListener("securitypolicyviolation", (event) => {
      globalThis.reportViolation(event.violatedDirective, event.blockedURI);
    }),
  );

  const response = await page.goto(`${base}/docs`);
  if (response?.status() !== 200) surprises.push(`/docs answered ${response?.status()}`);
  const policy = response?.headers()["content-security-policy"];
  if (!policy?.includes("default-src")) surprises.push("/docs has no Content-Security-Policy with default-src");
  const weak = /unsafe-eval|script-src[^;]*unsafe-inline|https?:|\*/;
  if (weak.test(policy ?? "")) surprises.push(`a weak policy: ${policy}`);

  const shown = page.locator(".opblock");
  await shown.nth(operations - 1).waitFor({ timeout: 20_000 }).catch(() => {});
  const count = await shown.count();
  if (count !== operations) surprises.push(`${count} operations are shown, the document has ${operations}`);
  await page.waitForLoadState("networkidle");
  await page.screenshot({ path: png });
} finally {
  await browser.close();
}

for (const surprise of surprises) console.error(`surprise: ${surprise}`);
if (surprises.length > 0) process.exit(1);
console.log(`/docs shows ${operations} operations and asked nobody else`);
